local function nest(n)
    for i = 1, n do for j = 1, n do for k = 1, n do end end end
end
nest(600)
io.write(600, " ")
