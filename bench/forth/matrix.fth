\ Cells and picks: a product of matrices, 200 by 200, four times.
200 constant n
create a n n * cells allot
create b n n * cells allot
create c n n * cells allot
: fill-both ( -- ) n n * 0 do i 7 mod a i cells + ! i 11 mod b i cells + ! loop ;
: dot ( row column -- sum )
    cells b + swap n * cells a + 0
    n 0 do over @ 3 pick @ * + rot [ n cells ] literal + rot cell+ rot loop
    nip nip ;
: multiply ( -- ) n 0 do n 0 do j i dot c j n * i + cells + ! loop loop ;
: sum ( -- n ) 0 n n * 0 do 31 * c i cells + @ + 65535 and loop ;
: run ( -- ) 4 0 do multiply loop ;
fill-both run sum .
