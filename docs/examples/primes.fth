\ primes.fth: how many primes are there below a number? The sieve of Eratosthenes.
\ `weft forth docs/examples/primes.fth -e '10000 primes .'` prints 1229.

10000 constant limit
limit buffer: composite

: strike ( p -- ) limit over dup * do 1 composite i + c! dup +loop drop ;

: sieve ( -- )
  composite limit erase
  100 2 do composite i + c@ 0= if i strike then loop ;

: primes ( n -- count )
  limit min 0 swap 2 max 2 ?do composite i + c@ 0= if 1+ then loop ;

sieve
