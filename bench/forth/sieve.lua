local flags = {}
local function sieve()
    local count = 0
    for i = 0, 8189 do flags[i] = 1 end
    for i = 0, 8189 do
        if flags[i] ~= 0 then
            local prime = i * 2 + 3
            for k = prime + i, 8189, prime do flags[k] = 0 end
            count = count + 1
        end
    end
    return count
end
local count = 0
for i = 1, 4000 do count = sieve() end
io.write(count, " ")
