\ Arithmetic: the Mandelbrot set in fixed point of 12 bits, 320 by 600, at most 64 steps.
variable re
variable im
: asr11 ( n -- n' ) 1099511627776 + 11 rshift 536870912 - ;
: steps ( -- n )
    0 0 64 0 do
        over dup * 12 rshift over dup * 12 rshift
        2dup + 16384 > if 2drop 2drop i unloop exit then
        - re @ + -rot * asr11 im @ +
    loop
    2drop 64 ;
: run ( -- n )
    0 600 0 do
        i 16 * 4800 - im !
        320 0 do i 32 * 8192 - re ! steps + loop
    loop ;
run .
