
\ prelude_sets.fs: words of the optional word sets, behind prelude.fs in the same module.

253 SET-CURRENT
: PRIVATE ( -- ) 253 SET-CURRENT ; \ What follows is found by this file alone.
: PUBLIC ( -- ) 1 SET-CURRENT ;

\ Does what the immediate word xt does while compiling, whatever STATE says.
: (COMPILING) ( i*x xt -- j*x ) STATE @ >R TRUE STATE ! CATCH R> STATE ! THROW ;
PUBLIC

\ Search-Order. A wid is 1 + the number of a word list; that of the system is number 0.
1 CONSTANT FORTH-WORDLIST
PRIVATE
: ORDER-AT-LEAST-ONE ( -- widn..wid1 n ) GET-ORDER DUP 0= IF -50 THROW THEN ;
: FIRST-LIST ( wid -- ) >R GET-ORDER DUP IF NIP ELSE 1+ THEN R> SWAP SET-ORDER ;
PUBLIC
: ALSO ( -- ) ORDER-AT-LEAST-ONE OVER SWAP 1+ SET-ORDER ;
: PREVIOUS ( -- ) ORDER-AT-LEAST-ONE NIP 1- SET-ORDER ;
: ONLY ( -- ) -1 SET-ORDER ;
: FORTH ( -- ) FORTH-WORDLIST FIRST-LIST ;
: DEFINITIONS ( -- )
  ORDER-AT-LEAST-ONE OVER >R 0 DO DROP LOOP R> SET-CURRENT ;
PRIVATE
: .WID ( wid -- )
  DUP FORTH-WORDLIST = IF DROP ." FORTH " EXIT THEN
  DUP 252 = IF DROP ." ASSEMBLER " EXIT THEN
  DUP 251 = IF DROP ." EDITOR " EXIT THEN . ;
PUBLIC
: ORDER ( -- ) GET-ORDER 0 ?DO .WID LOOP ." / " GET-CURRENT .WID ;

\ Programming-Tools.
: CS-PICK ( xu..x0 u -- xu..x0 xu ) PICK ; \ The control-flow stack is the data stack.
: CS-ROLL ( xu..x0 u -- xu-1..x0 xu ) ROLL ;
\ TRAVERSE-WORDLIST ( i*x xt wid -- j*x ): xt ( k*x nt -- l*x flag ) with each name, newest first.
: TRAVERSE-WORDLIST
  0 BEGIN OVER (NEXT-NAME) DUP WHILE
    DUP >R -ROT 2DUP 2>R DROP EXECUTE 2R> R> 3 ROLL
  WHILE REPEAT THEN 2DROP DROP ;

\ Facility.
: +FIELD ( n1 n2 "name" -- n3 ) CREATE OVER , + DOES> @ + ;
: FIELD: ( n1 "name" -- n2 ) ALIGNED 1 CELLS +FIELD ;
: CFIELD: ( n1 "name" -- n2 ) 1 CHARS +FIELD ;
: BEGIN-STRUCTURE ( "name" -- addr 0 ) CREATE HERE 0 0 , DOES> @ ;
: END-STRUCTURE ( addr n -- ) SWAP ! ;
: EMIT? ( -- flag ) TRUE ;
PRIVATE
: ESCAPE-SEQUENCE ( -- ) 27 EMIT [CHAR] [ EMIT ;
PUBLIC
: PAGE ( -- ) ESCAPE-SEQUENCE ." 2J" ESCAPE-SEQUENCE ." H" ;
: AT-XY ( column row -- )
  BASE @ >R DECIMAL ESCAPE-SEQUENCE 1+ 0 .R [CHAR] ; EMIT 1+ 0 .R [CHAR] H EMIT R> BASE ! ;

\ Locals. A name takes the cell on top, so those of {: are declared from the last to the first.
PRIVATE
: STR= ( c-addr1 u1 c-addr2 u2 -- flag ) COMPARE 0= ;
: LOCAL-NAME ( "name" -- c-addr u )
  BEGIN PARSE-NAME DUP 0= WHILE 2DROP REFILL 0= IF -39 THROW THEN REPEAT ;
: ENDS-LOCALS? ( c-addr u -- flag )
  2DUP S" |" STR= >R 2DUP S" --" STR= >R S" :}" STR= R> R> OR OR ;
: DECLARE-ARGUMENTS ( "names" -- c-addr u )
  0 >R BEGIN LOCAL-NAME 2DUP ENDS-LOCALS? 0= WHILE R> 1+ >R REPEAT
  R> 0 ?DO 2SWAP (LOCAL) LOOP ;
: DECLARE-VALUES ( "names" -- c-addr u )
  BEGIN LOCAL-NAME 2DUP ENDS-LOCALS? 0= WHILE 0 POSTPONE LITERAL (LOCAL) REPEAT ;
PUBLIC
: {: ( "arguments | values -- results :}" -- )
  DECLARE-ARGUMENTS 2DUP S" |" STR= IF 2DROP DECLARE-VALUES THEN
  BEGIN S" :}" STR= 0= WHILE LOCAL-NAME REPEAT 0 0 (LOCAL) ; IMMEDIATE COMPILE-ONLY
: LOCALS| ( "names |" -- )
  BEGIN LOCAL-NAME 2DUP S" |" STR= 0= WHILE (LOCAL) REPEAT
  2DROP 0 0 (LOCAL) ; IMMEDIATE COMPILE-ONLY

\ Memory-Allocation: a block that cannot grow where it is moves to a new one.
: RESIZE ( a-addr1 u -- a-addr2 ior )
  {: old size | count new :}
  old size (RESIZE) TO count
  count 1 < IF old count EXIT THEN
  size ALLOCATE IF DROP old -61 EXIT THEN TO new
  old new count 1- MOVE old FREE DROP new 0 ;

\ String. What REPLACES defines is a word of a list of its own (wid 254); its body: the room, the
\ length, the text.
PRIVATE
: SUBSTITUTION ( c-addr u -- a-addr | 0 ) 254 SEARCH-WORDLIST IF >BODY ELSE 0 THEN ;
PUBLIC
: REPLACES ( c-addr1 u1 c-addr2 u2 -- )
  {: text length name count | body :}
  name count SUBSTITUTION DUP IF DUP @ length U< IF DROP 0 THEN THEN TO body
  body 0= IF
    name count 253 (CREATE) HERE TO body
    length 2* 16 MAX DUP , 0 , ALLOT
  THEN
  length body CELL+ ! text body 2 CELLS + length MOVE ;

PRIVATE
\ Appends to a buffer: how much is in it then, or -1 if it does not fit.
: +SUBSTITUTED ( c-addr u buffer size n1 -- n2 )
  {: text length buffer size n :}
  n 0< n length + size U> OR IF -1 EXIT THEN
  text buffer n + length MOVE n length + ;
: UP-TO-% ( c-addr u -- u )
  0 ?DO DUP I + C@ [CHAR] % = IF DROP I UNLOOP EXIT THEN LOOP DROP -1 ;
\ Reads one piece at the start of a string: how many characters, what it stands for, and 1 if that
\ was a substitution.
: NEXT-PIECE ( c-addr u -- u2 c-addr3 u3 n )
  {: text length | name body :}
  text C@ [CHAR] % <> IF 1 text 1 0 EXIT THEN
  text 1+ length 1- UP-TO-% TO name
  name 0< IF length text length 0 EXIT THEN
  name 0= IF 2 text 1 0 EXIT THEN
  text 1+ name SUBSTITUTION TO body
  name 2 + body IF body 2 CELLS + body CELL+ @ 1 ELSE text OVER 0 THEN ;
: SUBSTITUTE-APART ( c-addr1 u1 c-addr2 u2 -- c-addr2 u3 n )
  {: text length buffer size | n count :}
  BEGIN length n 0< 0= AND WHILE
    text length NEXT-PIECE count + TO count
    buffer size n +SUBSTITUTED TO n
    text length ROT /STRING TO length TO text
  REPEAT
  n 0< IF buffer 0 -78 ELSE buffer n count THEN ;
PUBLIC
\ Where the result would overwrite what is still to be read, a copy is read.
: SUBSTITUTE ( c-addr1 u1 c-addr2 u2 -- c-addr2 u3 n )
  {: text length buffer size | copy :}
  text buffer size + U< buffer text length + U< AND 0= IF
    text length buffer size SUBSTITUTE-APART EXIT
  THEN
  length ALLOCATE IF DROP buffer 0 -78 EXIT THEN TO copy
  text copy length MOVE
  copy length buffer size SUBSTITUTE-APART copy FREE DROP ;
: UNESCAPE ( c-addr1 u1 c-addr2 -- c-addr2 u2 )
  {: text length buffer | n :}
  length 0 ?DO
    text I + C@ DUP buffer n + C! n 1+ TO n
    [CHAR] % = IF [CHAR] % buffer n + C! n 1+ TO n THEN
  LOOP buffer n ;

\ Extended characters: UTF-8.
: XC!+? ( xchar xc-addr1 u1 -- xc-addr2 u2 flag )
  2 PICK XC-SIZE 2DUP U< IF DROP ROT DROP FALSE EXIT THEN
  >R -ROT XC!+ SWAP R> - TRUE ;
: XCHAR+ ( xc-addr1 -- xc-addr2 ) DUP 4 X-SIZE + ;
: XCHAR- ( xc-addr1 -- xc-addr2 ) BEGIN 1- DUP C@ $C0 AND $80 <> UNTIL ;
: +X/STRING ( xc-addr1 u1 -- xc-addr2 u2 ) 2DUP X-SIZE /STRING ;
: X\STRING- ( xc-addr u1 -- xc-addr u2 ) DUP IF OVER + XCHAR- OVER - THEN ;
: -TRAILING-GARBAGE ( xc-addr u1 -- xc-addr u2 )
  DUP 0= IF EXIT THEN
  2DUP + DUP XCHAR- DUP DUP 4 X-SIZE + 2 PICK = IF 2DROP ELSE NIP NIP OVER - THEN ;
: X-WIDTH ( xc-addr u -- n )
  0 >R OVER + SWAP BEGIN 2DUP U> WHILE XC@+ XC-WIDTH R> + >R REPEAT 2DROP R> ;
: XKEY ( -- xchar )
  KEY DUP $C0 U< IF EXIT THEN
  DUP $E0 U< IF $1F AND 1 ELSE DUP $F0 U< IF $0F AND 2 ELSE $07 AND 3 THEN THEN
  0 DO 6 LSHIFT KEY $3F AND OR LOOP ;

\ TIME&DATE ( -- second minute hour day month year ) in UTC. Years begin in March here, so that the
\ odd day is the last of them.
: TIME&DATE
  UTIME 1000000 UM/MOD NIP 86400 /MOD 719468 + 146097 /MOD
  {: seconds day era | year month :}
  day day 1460 / - day 36524 / + day 146096 / - 365 / TO year
  day year 365 * year 4 / + year 100 / - - TO day
  day 5 * 2 + 153 / TO month
  seconds 60 /MOD 60 /MOD
  day month 153 * 2 + 5 / - 1+
  month DUP 10 < IF 3 + ELSE 9 - THEN
  year era 400 * + OVER 3 < IF 1+ THEN ;

\ Block. The blocks are in the unit's own memory: a record that is made at the first use, with BLK,
\ SCR, a list of the blocks ever written (next, number, text), the buffer used last, and two buffers
\ (1 + number or 0, whether it is updated, 1024 characters). A block never written is blank.
PRIVATE
: RECORD ( -- a-addr )
  (BLOCKS) DUP 0= IF DROP 2112 ALLOCATE THROW DUP 2112 ERASE DUP (BLOCKS!) THEN ;
: STORED ( -- a-addr ) RECORD 16 + ;
: USED-LAST ( -- a-addr ) RECORD 24 + ;
: NTH-BUFFER ( n -- buffer ) 1040 * RECORD 32 + + ;
: LOADED ( -- u | 0 ) (BLOCKS) DUP IF @ THEN ;
: BUFFER-TEXT ( buffer -- a-addr ) 16 + ;
: STORED-TEXT ( u -- a-addr | 0 )
  STORED @ BEGIN DUP WHILE 2DUP CELL+ @ <> WHILE @ REPEAT 16 + @ THEN NIP ;
: NEW-TEXT ( u -- a-addr )
  {: u | text entry :}
  1024 ALLOCATE IF DROP -34 THROW THEN TO text
  24 ALLOCATE IF DROP text FREE DROP -34 THROW THEN TO entry
  STORED @ entry ! u entry CELL+ ! text entry 16 + ! entry STORED ! text ;
: SAVE-BUFFER ( buffer -- )
  {: buffer :}
  buffer CELL+ @ 0= IF EXIT THEN
  buffer BUFFER-TEXT buffer @ 1- DUP STORED-TEXT DUP IF NIP ELSE DROP NEW-TEXT THEN 1024 MOVE
  0 buffer CELL+ ! ;
\ The buffer that has block u, or the other than that used last, emptied for it; and whether it has.
: BUFFER-FOR ( u -- buffer flag )
  65535 OVER U< IF -35 THROW THEN
  2 0 DO
    DUP 1+ I NTH-BUFFER @ = IF DROP I USED-LAST ! I NTH-BUFFER UNLOOP TRUE EXIT THEN
  LOOP DROP
  1 USED-LAST @ XOR DUP NTH-BUFFER DUP SAVE-BUFFER 0 OVER ! SWAP USED-LAST ! FALSE ;
PUBLIC
: BLK ( -- a-addr ) RECORD ;
: SCR ( -- a-addr ) RECORD 8 + ;
: BUFFER ( u -- a-addr )
  DUP BUFFER-FOR IF NIP ELSE TUCK SWAP 1+ SWAP ! THEN BUFFER-TEXT ;
: BLOCK ( u -- a-addr )
  {: u | buffer :}
  u BUFFER-FOR SWAP TO buffer 0= IF
    u STORED-TEXT DUP IF buffer BUFFER-TEXT 1024 MOVE ELSE
      DROP buffer BUFFER-TEXT 1024 BLANK
    THEN
    u 1+ buffer !
  THEN
  buffer BUFFER-TEXT ;
: UPDATE ( -- ) USED-LAST @ NTH-BUFFER DUP @ 0<> SWAP CELL+ ! ;
: SAVE-BUFFERS ( -- ) 0 NTH-BUFFER SAVE-BUFFER 1 NTH-BUFFER SAVE-BUFFER ;
: EMPTY-BUFFERS ( -- ) 0 0 0 NTH-BUFFER 2! 0 0 1 NTH-BUFFER 2! ;
: FLUSH ( -- ) SAVE-BUFFERS EMPTY-BUFFERS ;
: LIST ( u -- )
  DUP SCR ! BLOCK 16 0 DO CR I 2 .R SPACE DUP I 64 * + 64 -TRAILING TYPE LOOP DROP CR ;
: LOAD ( i*x u -- j*x ) DUP 0= IF -35 THROW THEN DUP BLOCK SWAP (LOAD) ;
: THRU ( i*x u1 u2 -- j*x ) 1+ SWAP ?DO I LOAD LOOP ;
: REFILL ( -- flag )
  LOADED 0= IF REFILL EXIT THEN
  LOADED 65535 = IF FALSE EXIT THEN
  LOADED 1+ DUP BLOCK SWAP (BLOCK-TEXT) TRUE ;
\ Of a block, the source may have gone on to another one meanwhile.
: RESTORE-INPUT ( xn .. x1 n -- flag )
  LOADED IF DUP 4 = IF 2 PICK LOADED <> IF 2 PICK DUP BLOCK SWAP (BLOCK-TEXT) THEN THEN THEN
  RESTORE-INPUT ;
