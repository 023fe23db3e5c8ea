\ Three stages, one behind the other: numbers, their squares, those that are even. Each closes its own
\ channel when the one before it is closed and empty.
\   weft unit load n1 docs/examples/pipeline.fth --name pipeline
\   weft unit eval n1/pipeline main

: each ( in out xt -- ) \ xt ( x out -- ) for each x that comes.
  >R BEGIN OVER -1 RECV-FOR 0= WHILE OVER R@ EXECUTE REPEAT
  DROP NIP CLOSE-CHANNEL RDROP ;

: pass-square ( x out -- ) >R DUP * R> SEND ;
: pass-even ( x out -- ) OVER 1 AND IF 2DROP ELSE SEND THEN ;

: numbers ( out -- ) 11 1 DO I OVER SEND LOOP CLOSE-CHANNEL ;
: squares ( in out -- ) ['] pass-square each ;
: evens ( in out -- ) ['] pass-even each ;

: print ( in -- ) BEGIN DUP -1 RECV-FOR 0= WHILE . REPEAT 2DROP ;

: main ( -- )
  2 CHANNEL 2 CHANNEL 2 CHANNEL ( a b c )
  2 PICK 1 ['] numbers SPAWN DETACH THROW
  ROT 2 PICK 2 ['] squares SPAWN DETACH THROW ( b c )
  TUCK 2 ['] evens SPAWN DETACH THROW ( c )
  print CR ;
