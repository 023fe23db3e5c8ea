-- Lua's >> shifts in zeros: what may be negative is divided, downwards.
local re, im
local function steps()
    local x, y = 0, 0
    for i = 0, 63 do
        local xx, yy = x * x >> 12, y * y >> 12
        if xx + yy > 16384 then return i end
        y = (x * y // 2048) + im
        x = xx - yy + re
    end
    return 64
end
local sum = 0
for row = 0, 599 do
    im = row * 16 - 4800
    for column = 0, 319 do
        re = column * 32 - 8192
        sum = sum + steps()
    end
end
io.write(sum, " ")
