\ A pool of workers that live as long as the pool: each job is a message of three cells, operands and an
\ operation, and says where its answer is wanted.
\   weft unit load n1 docs/examples/worker-pool.fth --name pool
\   weft unit eval n1/pool main

4 CONSTANT size
VARIABLE pool \ The channel of jobs.

: power ( n u -- n^u ) 1 SWAP 0 ?DO OVER * LOOP NIP ;
: factorial ( n 0 -- n! ) DROP 1 SWAP 1+ 1 ?DO I * LOOP ;

\ A word of the child has the number that it has here: an xt can be sent.
: worker ( jobs -- )
  BEGIN DUP ['] RECV-CELLS CATCH 0= WHILE ( jobs a b xt reply-to 4 )
    DROP >R EXECUTE R> SEND
  REPEAT 2DROP ;

: start ( -- pid1 … pidn ) 8 CHANNEL pool ! size 0 DO pool @ 1 ['] worker SPAWN LOOP ;
: stop ( pid1 … pidn -- ) pool @ CLOSE-CHANNEL size 0 DO JOIN 2DROP LOOP ;

: later ( a b xt -- reply ) 1 CHANNEL DUP >R 4 pool @ SEND-CELLS R> ;
: now ( reply -- n ) DUP RECV SWAP CLOSE-CHANNEL ;

: main ( -- )
  start
  2 10 ['] power later  3 5 ['] power later  10 0 ['] factorial later
  ." 10! = " now . CR  ." 3^5 = " now . CR  ." 2^10 = " now . CR
  stop ." the pool is closed" CR ;
