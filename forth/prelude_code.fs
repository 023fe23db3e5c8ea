
\ prelude_code.fs: the words of ASSEMBLER that are no operations, and those of EDITOR. Behind the other
\ preludes; the word lists have the wids 252 and 251.

: ASSEMBLER ( -- ) 252 FIRST-LIST ;
252 SET-CURRENT
: END-CODE ( -- ) (END-CODE) ;
: TOKEN, ( u -- ) (TOKEN) ;
: THEN, ( orig -- ) POSTPONE THEN ;
: ELSE, ( orig1 -- orig2 ) POSTPONE ELSE ;
: BEGIN, ( -- dest ) POSTPONE BEGIN ;
: WHILE, ( dest -- orig dest ) POSTPONE WHILE ;
: REPEAT, ( orig dest -- ) POSTPONE REPEAT ;
: LEAVE, ( -- ) POSTPONE LEAVE ;
: RECURSE, ( -- ) POSTPONE RECURSE ;
PUBLIC

\ As fig-Forth had it: lines of block SCR, and PAD has the line in hand.
: EDITOR ( -- ) 251 FIRST-LIST ;
PRIVATE
: LINE ( n -- c-addr ) DUP 15 U> IF -24 THROW THEN 64 * SCR @ BLOCK + ;
: LINES-BELOW ( n -- u ) 15 SWAP - 64 * ;
ALSO EDITOR DEFINITIONS
: L ( -- ) SCR @ LIST ;
: H ( n -- ) LINE PAD 64 MOVE ;
: T ( n -- ) DUP H CR LINE 64 -TRAILING TYPE ;
: E ( n -- ) LINE 64 BLANK UPDATE ;
: S ( n -- ) DUP LINE DUP 64 + 2 PICK LINES-BELOW MOVE E ;
: D ( n -- ) DUP H DUP LINE DUP 64 + SWAP ROT LINES-BELOW MOVE 15 E ;
: R ( n -- ) PAD SWAP LINE 64 MOVE UPDATE ;
: P ( n "text" -- ) 10 PARSE 64 MIN PAD 64 BLANK PAD SWAP MOVE R ;
: I ( n -- ) DUP S R ;
: CLEAR ( u -- ) DUP SCR ! BUFFER 1024 BLANK UPDATE ;
: COPY ( u1 u2 -- ) SWAP BLOCK SWAP BUFFER 1024 MOVE UPDATE ;
PREVIOUS PUBLIC
