\ prelude.fs: the words of the standard that are best written in Forth. Compiled once into the system
\ module; what it allots is read-only afterwards, so it keeps no state of its own.

-1 CONSTANT TRUE
0 CONSTANT FALSE
32 CONSTANT BL
$10000 CONSTANT BASE
$10008 CONSTANT STATE
$10010 CONSTANT >IN

: DECIMAL ( -- ) 10 BASE ! ;
: HEX ( -- ) 16 BASE ! ;
: CR ( -- ) 10 EMIT ;
: SPACE ( -- ) BL EMIT ;
: ? ( a-addr -- ) @ . ;
: CHAR+ ( c-addr -- c-addr ) 1+ ;
: ALIGNED ( addr -- a-addr ) 7 + -8 AND ;
: S>D ( n -- d ) DUP 0< ;
: D>S ( d -- n ) DROP ;
: D0= ( d -- flag ) OR 0= ;
: D0< ( d -- flag ) NIP 0< ;
: 2NIP ( d1 d2 -- d2 ) 2>R 2DROP 2R> ;
: DMAX ( d1 d2 -- d ) 2OVER 2OVER D< IF 2SWAP THEN 2DROP ;
: DMIN ( d1 d2 -- d ) 2OVER 2OVER D< 0= IF 2SWAP THEN 2DROP ;
: 2ROT ( d1 d2 d3 -- d2 d3 d1 ) 2>R 2SWAP 2R> 2SWAP ;
: ERASE ( addr u -- ) 0 FILL ;
: BLANK ( c-addr u -- ) BL FILL ;
: BOUNDS ( addr u -- addr+u addr ) OVER + SWAP ;
: /STRING ( c-addr u n -- c-addr u ) TUCK - >R + R> ;
: -TRAILING ( c-addr u -- c-addr u )
  BEGIN DUP WHILE 2DUP 1- + C@ BL = WHILE 1- REPEAT THEN ;

: 2, ( x1 x2 -- ) , , ;
: BUFFER: ( u "name" -- ) CREATE ALLOT ;
: 2VARIABLE ( "name" -- ) CREATE 0 , 0 , ;
: 2CONSTANT ( x1 x2 "name" -- ) CREATE , , DOES> 2@ ;

\ The loop of CASE is unrolled onto the control-flow stack, with the count of its ENDOFs.
: CASE ( -- 0 ) 0 ; IMMEDIATE COMPILE-ONLY
: OF ( n -- orig n+1 ) 1+ POSTPONE OVER POSTPONE = POSTPONE IF POSTPONE DROP SWAP ;
IMMEDIATE COMPILE-ONLY
: ENDOF ( orig n -- orig n ) >R POSTPONE ELSE R> ; IMMEDIATE COMPILE-ONLY
: ENDCASE ( orig1..n n -- ) POSTPONE DROP 0 ?DO POSTPONE THEN LOOP ; IMMEDIATE COMPILE-ONLY

: IS ( xt "name" -- )
  STATE @ IF POSTPONE ['] POSTPONE DEFER! ELSE ' DEFER! THEN ; IMMEDIATE (STATE-SMART)
: ACTION-OF ( "name" -- xt )
  STATE @ IF POSTPONE ['] POSTPONE DEFER@ ELSE ' DEFER@ THEN ; IMMEDIATE (STATE-SMART)

\ SEARCH ( c-addr1 u1 c-addr2 u2 -- c-addr3 u3 flag ): one comparison for each place to begin.
: SEARCH
  2>R 2DUP
  BEGIN DUP 2R@ NIP U< 0= WHILE
    OVER 2R@ TUCK COMPARE 0= IF 2SWAP 2DROP 2R> 2DROP TRUE EXIT THEN
    1 /STRING
  REPEAT
  2DROP 2R> 2DROP FALSE ;

: UPC ( c -- c ) DUP [CHAR] a [CHAR] z 1+ WITHIN IF 32 - THEN ;
: ISTR= ( c-addr1 u1 c-addr2 u2 -- flag )
  ROT OVER <> IF DROP 2DROP FALSE EXIT THEN
  0 ?DO
    OVER I + C@ UPC OVER I + C@ UPC <> IF 2DROP UNLOOP FALSE EXIT THEN
  LOOP 2DROP TRUE ;

\ Skips text up to the [ELSE] or [THEN] of the same level (Forth 2012, 15.6.2.2532).
: [ELSE] ( -- )
  1 BEGIN
    BEGIN PARSE-NAME DUP WHILE
      2DUP S" [IF]" ISTR= IF 2DROP 1+ ELSE
      2DUP S" [ELSE]" ISTR= IF 2DROP 1- DUP IF 1+ THEN ELSE
      S" [THEN]" ISTR= IF 1- THEN THEN THEN
      DUP 0= IF DROP EXIT THEN
    REPEAT 2DROP
  REFILL 0= UNTIL DROP ; IMMEDIATE
: [IF] ( flag -- ) 0= IF POSTPONE [ELSE] THEN ; IMMEDIATE
: [THEN] ( -- ) ; IMMEDIATE
: [DEFINED] ( "name" -- flag ) PARSE-NAME FIND-XT NIP 0<> ; IMMEDIATE
: [UNDEFINED] ( "name" -- flag ) PARSE-NAME FIND-XT NIP 0= ; IMMEDIATE

\ DUMP ( addr u -- ): sixteen bytes a line.
: .HEX ( u n -- ) BASE @ >R HEX >R 0 <# R> 0 ?DO # LOOP #> TYPE R> BASE ! ;
: DUMP
  BEGIN DUP 0> WHILE
    CR OVER 8 .HEX SPACE
    2DUP 16 MIN BOUNDS ?DO I C@ SPACE 2 .HEX LOOP
    16 /STRING
  REPEAT 2DROP ;

\ What a reply over the network wants: no blanks at the end.
: TRIM ( c-addr u -- c-addr u )
  BEGIN DUP WHILE 2DUP 1- + C@ BL > 0= WHILE 1- REPEAT THEN ;

\ Files: the primitives move at most 4 KiB a run, so that a long transfer can be stopped.
1 CONSTANT R/O ( -- fam )
2 CONSTANT W/O ( -- fam )
3 CONSTANT R/W ( -- fam )
: BIN ( fam -- fam ) ;
: READ-FILE ( c-addr u1 fileid -- u2 ior )
  >R 0 -ROT
  BEGIN DUP WHILE
    2DUP R@ (READ-FILE) ?DUP IF >R DROP 2DROP R> RDROP EXIT THEN
    DUP 0= IF DROP 2DROP RDROP 0 EXIT THEN
    DUP >R /STRING ROT R> + -ROT
  REPEAT 2DROP RDROP 0 ;
\ (READ-LINE) answers how its part of the line ends: 0 with the file, 1 with the room, 2 with the line.
: READ-LINE ( c-addr u1 fileid -- u2 flag ior )
  >R 0 -ROT
  BEGIN
    2DUP R@ (READ-LINE) ?DUP IF >R 2DROP 2DROP FALSE R> RDROP EXIT THEN
    >R DUP >R /STRING ROT R> + -ROT R>
  DUP 1 = 2 PICK 0<> AND WHILE DROP REPEAT
  NIP NIP OVER OR 0<> 0 RDROP ;
: WRITE-FILE ( c-addr u fileid -- ior )
  >R
  BEGIN DUP WHILE
    2DUP R@ (WRITE-FILE) ?DUP IF >R DROP 2DROP R> RDROP EXIT THEN
    /STRING
  REPEAT 2DROP RDROP 0 ;
: WRITE-LINE ( c-addr u fileid -- ior )
  DUP >R WRITE-FILE DUP 0= IF DROP S\" \n" R@ WRITE-FILE THEN RDROP ;
: (INCLUDE) ( i*x c-addr u -- j*x )
  2DUP R/O OPEN-FILE THROW >R (INCLUDED!) R> INCLUDE-FILE ;
: INCLUDED ( i*x c-addr u -- j*x ) (BESIDE) (INCLUDE) ;
: INCLUDE ( i*x "name" -- j*x ) PARSE-NAME INCLUDED ;
: REQUIRED ( i*x c-addr u -- j*x ) (BESIDE) 2DUP (INCLUDED?) IF 2DROP ELSE (INCLUDE) THEN ;
: REQUIRE ( i*x "name" -- j*x ) PARSE-NAME REQUIRED ;

: #! ( "ccc<eol>" -- ) POSTPONE \ ; IMMEDIATE
: (BYE) ( n -- ) (EXIT-STATUS) BYE ;

\ Words given to others, with their source: to all siblings, to all units of other nodes.
: SHARE-WORD ( "name" -- ) ' SOURCE-OF FALSE SHARE-TEXT ;
: SHARE ( "name" -- ) ' SOURCE-OF TRUE SHARE-TEXT ;
: TEACH ( "name1 … namen" -- ) \ Up to the end of the line.
  BEGIN PARSE-NAME DUP WHILE
    FIND-XT 0= -13 AND THROW SOURCE-OF FALSE SHARE-TEXT
  REPEAT 2DROP ;
: GOAL" ( "text<quote>" -- pid )
  [CHAR] " PARSE STATE @ IF POSTPONE SLITERAL POSTPONE GOAL ELSE GOAL THEN ; IMMEDIATE

\ S-expressions: (op item …) evaluates its items, then op; a string is its characters, still escaped.
: SEXP-BLANKS ( c-addr u -- c-addr u )
  BEGIN DUP WHILE OVER C@ BL > 0= WHILE 1 /STRING REPEAT THEN ;
: SEXP-STRING ( c-addr u -- c-addr u c-addr2 u2 ) \ Behind its first quote.
  2DUP BEGIN DUP WHILE OVER C@ [CHAR] " <> WHILE
    OVER C@ [CHAR] \ = IF 1 /STRING DUP 0= -39 AND THROW THEN 1 /STRING
  REPEAT THEN DUP 0= -39 AND THROW
  2SWAP DROP 2 PICK OVER - 2SWAP 1 /STRING 2SWAP ;
: SEXP-ATOM ( c-addr u -- c-addr u c-addr2 u2 )
  2DUP BEGIN DUP WHILE
    OVER C@ DUP BL > OVER [CHAR] ( <> AND OVER [CHAR] ) <> AND SWAP [CHAR] " <> AND WHILE
    1 /STRING REPEAT THEN
  2SWAP DROP 2 PICK OVER - ;
\ SEXP-TOKEN ( c-addr u -- c-addr u c-addr2 u2 kind ): 0 the end, 1 (, 2 ), 3 a string, 4 an atom.
: SEXP-TOKEN
  SEXP-BLANKS DUP 0= IF 2DUP 0 EXIT THEN
  OVER C@ [CHAR] ( = IF OVER 1 2SWAP 1 /STRING 2SWAP 1 EXIT THEN
  OVER C@ [CHAR] ) = IF OVER 1 2SWAP 1 /STRING 2SWAP 2 EXIT THEN
  OVER C@ [CHAR] " = IF 1 /STRING SEXP-STRING 3 EXIT THEN
  SEXP-ATOM 4 ;
: SEXP-ITEM ( c-addr u -- i*x c-addr u ) \ The first item, evaluated, below what follows it.
  SEXP-TOKEN DUP 0= -39 AND THROW DUP 2 = -22 AND THROW
  DUP 3 = IF DROP 2SWAP EXIT THEN
  4 = IF 2SWAP 2>R EVALUATE 2R> EXIT THEN
  2DROP SEXP-TOKEN DUP 2 = IF DROP 2DROP EXIT THEN
  4 <> -22 AND THROW 2SWAP 2SWAP 2>R
  BEGIN 2DUP SEXP-TOKEN NIP NIP 2 <> WHILE 2DROP RECURSE REPEAT
  2NIP 2R> 2SWAP 2>R EVALUATE 2R> ;
: SEXP-EVAL ( c-addr u -- i*x ) SEXP-ITEM SEXP-BLANKS NIP 0<> -22 AND THROW ;
: SEXP" ( "text<quote>" -- i*x )
  [CHAR] " PARSE STATE @ IF POSTPONE SLITERAL POSTPONE SEXP-EVAL ELSE SEXP-EVAL THEN ; IMMEDIATE
: .INTEGER ( n -- ) DUP ABS 0 <# #S ROT SIGN #> TYPE ;
: .SEXP ( x1 … xn n -- ) \ As a list.
  [CHAR] ( EMIT DUP 0 ?DO I IF SPACE THEN DUP I - PICK .INTEGER LOOP [CHAR] ) EMIT
  0 ?DO DROP LOOP ;
: .QUOTED ( c-addr u -- ) \ As a string: what is not printable is escaped.
  [CHAR] " EMIT
  BOUNDS ?DO I C@
    DUP [CHAR] " = OVER [CHAR] \ = OR IF [CHAR] \ EMIT THEN
    DUP BL 127 WITHIN IF EMIT ELSE [CHAR] \ EMIT [CHAR] x EMIT 2 .HEX THEN
  LOOP [CHAR] " EMIT ;
: SEXP-RESULT ( c-addr u -- ) \ Evaluates, and prints what came of it.
  DEPTH 2 - >R ['] SEXP-EVAL CATCH
  DUP IF NIP NIP RDROP ." (result :ok 0 :error " .INTEGER [CHAR] ) EMIT EXIT THEN
  DROP DEPTH R> - ." (result :ok 1 :value " .SEXP [CHAR] ) EMIT ;
