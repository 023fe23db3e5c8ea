local text = {}
for i = 0, 1000000 do
    if #text >= 65000 then break end
    for letter in ("key" .. i .. "=" .. i * 7919 % 100003 .. ";"):gmatch(".") do
        text[#text + 1] = letter
    end
end
text = table.concat(text)
local byte, length = string.byte, #text
local function parse_all()
    local sum, at = 0, 1
    while at <= length do
        local hash, value = 2166136261, 0
        local letter = byte(text, at)
        while letter ~= 61 do
            hash = ((hash ~ letter) * 16777619) & 4294967295
            at = at + 1
            letter = byte(text, at)
        end
        at = at + 1
        letter = byte(text, at)
        while letter ~= 59 do
            value = value * 10 + (letter - 48)
            at = at + 1
            letter = byte(text, at)
        end
        at = at + 1
        sum = (sum + (value ~ hash)) & 4294967295
    end
    return sum
end
local sum = 0
for i = 1, 200 do sum = parse_all() end
io.write(sum, " ")
