local N = 200
local a, b, c = {}, {}, {}
local function multiply()
    for i = 0, N - 1 do
        for j = 0, N - 1 do
            local sum = 0
            for k = 0, N - 1 do sum = sum + a[i * N + k] * b[k * N + j] end
            c[i * N + j] = sum
        end
    end
end
for i = 0, N * N - 1 do
    a[i] = i % 7
    b[i] = i % 11
end
for i = 1, 4 do multiply() end
local sum = 0
for i = 0, N * N - 1 do sum = (sum * 31 + c[i]) & 65535 end
io.write(sum, " ")
