\ Bits and recursion: ten queens, a hundred times.
variable full
variable solutions
: queen ( columns left right -- )
    2 pick full @ = if 2drop drop 1 solutions +! exit then
    2 pick over or 2 pick or invert full @ and
    begin dup while
        dup dup negate and tuck xor swap
        4 pick over or
        4 pick 2 pick or 2*
        4 pick 3 pick or 2/
        recurse drop
    repeat
    2drop 2drop ;
: run ( -- ) 1023 full ! 100 0 do 0 0 0 queen loop ;
run solutions @ .
