\ Ten agents share a hundred items; a coordinator collects what they make of them.
\   weft unit load n1 docs/examples/coordinator.fth --name coordinator
\   weft unit eval n1/coordinator main

10 CONSTANT agents
100 CONSTANT items

VARIABLE jobs    \ Channel of items.
VARIABLE results \ Channel of their squares.

\ An agent takes items until there are none, and says how many it had.
: agent ( jobs results -- n )
  0 >R
  BEGIN OVER -1 RECV-FOR 0= WHILE ( jobs results item )
    DUP * OVER SEND
    R> 1+ >R
  REPEAT DROP 2DROP R> ;

\ The items come from a unit of their own: whoever feeds and collects in one loop may wait for itself.
: feed ( jobs -- ) items 1+ 1 DO I OVER SEND LOOP CLOSE-CHANNEL ;

: hire ( -- pid1 … pidn ) agents 0 DO jobs @ results @ 2 ['] agent SPAWN LOOP ;
: collect ( -- sum ) 0 items 0 DO results @ RECV + LOOP ;
: dismiss ( pid1 … pidn -- n ) 0 agents 0 DO SWAP JOIN 2DROP + LOOP ;

: main ( -- )
  16 CHANNEL jobs ! 16 CHANNEL results !
  hire
  jobs @ 1 ['] feed SPAWN DETACH THROW
  ." sum of squares: " collect . CR
  ." items done: " dismiss . CR
  results @ CLOSE-CHANNEL ;
