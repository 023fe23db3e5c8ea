\ Cells: bubble sort of 8000.
variable seed
create numbers 8000 cells allot
: random ( -- n ) seed @ 1103515245 * 12345 + 2147483647 and dup seed ! ;
: fill-numbers ( -- ) 42 seed ! 8000 0 do random numbers i cells + ! loop ;
: pass ( n -- ) cells numbers + numbers do
        i 2@ 2dup < if swap i 2! else 2drop then
    1 cells +loop ;
: sort ( -- ) 1 7999 do i pass -1 +loop ;
: sum ( -- n ) 0 8000 0 do 31 * numbers i cells + @ + 65535 and loop ;
fill-numbers sort sum .
