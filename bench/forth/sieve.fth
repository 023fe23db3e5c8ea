\ Bytes: the sieve of Eratosthenes as Byte printed it (1981), 8190 odd numbers, 4000 times.
create flags 8190 allot
: sieve ( -- n )
    flags 8190 1 fill
    0 8190 0 do
        flags i + c@ if
            i 2* 3 + dup i +
            begin dup 8190 < while 0 over flags + c! over + repeat
            2drop 1+
        then
    loop ;
: run ( -- n ) 0 4000 0 do drop sieve loop ;
run .
