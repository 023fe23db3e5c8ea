local list, seed = {}, 42
local function pass(n)
    for i = 0, n - 1 do
        local here, next = list[i], list[i + 1]
        if next < here then
            list[i] = next
            list[i + 1] = here
        end
    end
end
for i = 0, 7999 do
    seed = (seed * 1103515245 + 12345) & 2147483647
    list[i] = seed
end
for n = 7999, 1, -1 do pass(n) end
local sum = 0
for i = 0, 7999 do sum = (sum * 31 + list[i]) & 65535 end
io.write(sum, " ")
