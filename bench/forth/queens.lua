local full, solutions = 1023, 0
local function place(columns, left, right)
    if columns == full then
        solutions = solutions + 1
        return
    end
    local free = ~(columns | left | right) & full
    while free ~= 0 do
        local bit = free & -free
        free = free ~ bit
        place(columns | bit, (left | bit) << 1, (right | bit) >> 1)
    end
end
for i = 1, 100 do place(0, 0, 0) end
io.write(solutions, " ")
