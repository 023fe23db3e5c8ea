\ A fast producer and a slow consumer: the channel holds three, so the producer waits, and nobody else does.
\   weft unit load n1 docs/examples/producer-consumer.fth --name market
\   weft unit eval n1/market main

: produce ( channel n -- ) 0 ?DO I 1+ OVER SEND LOOP CLOSE-CHANNEL ;

: consume ( channel -- sum )
  0 BEGIN OVER -1 RECV-FOR 0= WHILE + 1 MS REPEAT DROP NIP ;

: impatient ( channel -- ior ) BEGIN 0 OVER 0 SEND-FOR DUP 0= WHILE DROP REPEAT NIP ;

: main ( -- )
  3 CHANNEL ( channel )
  DUP 1 ['] consume SPAWN SWAP
  20 2 ['] produce SPAWN
  JOIN 2DROP ." the producer has ended" CR
  JOIN 2DROP ." sum: " . CR
  3 CHANNEL impatient ." a full channel answers " . CR ;
