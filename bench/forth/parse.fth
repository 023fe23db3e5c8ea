\ Text, as a message would bring it: 64 KB of key=digits; records, hashed (FNV-1a) and added, 200 times.
create text 65536 allot
variable length
: put ( char -- ) text length @ + c! 1 length +! ;
: put-digits ( n -- ) dup 10 / ?dup if recurse then 10 mod [char] 0 + put ;
: build ( -- )
    0 begin length @ 65000 < while
        [char] k put [char] e put [char] y put dup put-digits
        [char] = put dup 7919 * 100003 mod put-digits [char] ; put
        1+
    repeat drop ;
: read-key ( addr -- addr' hash )
    2166136261 begin over c@ dup [char] = <> while
        xor 16777619 * 4294967295 and swap 1+ swap
    repeat drop swap 1+ swap ;
: read-value ( addr -- addr' n )
    0 begin over c@ dup [char] ; <> while
        [char] 0 - swap 10 * + swap 1+ swap
    repeat drop swap 1+ swap ;
: parse-all ( -- sum )
    0 text begin dup text length @ + < while
        read-key swap read-value rot xor rot + 4294967295 and swap
    repeat drop ;
: run ( -- sum ) build 0 200 0 do drop parse-all loop ;
run .
