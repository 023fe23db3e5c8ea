\ counter.fth: a unit that remembers. `weft unit eval n2/counter '5 add total .'` prints 5, then 10.

0 value total

: add ( n -- ) total + to total ;
: clear ( -- ) 0 to total ;
