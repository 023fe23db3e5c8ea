\ prelude_float.fs: what of Floating-Point and its extensions is best written in Forth; read behind
\ prelude.fs. A float takes eight address units, as a cell does, and wants the same alignment.

: FLOATS ( n1 -- n2 ) CELLS ;
: FLOAT+ ( f-addr1 -- f-addr2 ) CELL+ ;
: FALIGNED ( addr -- f-addr ) ALIGNED ;
: FALIGN ( -- ) ALIGN ;
: DFLOATS ( n1 -- n2 ) CELLS ;
: DFLOAT+ ( df-addr1 -- df-addr2 ) CELL+ ;
: DFALIGNED ( addr -- df-addr ) ALIGNED ;
: DFALIGN ( -- ) ALIGN ;
: DF@ ( df-addr -- ) ( F: -- r ) F@ ;
: DF! ( df-addr -- ) ( F: r -- ) F! ;
: SFLOATS ( n1 -- n2 ) 2 LSHIFT ;
: SFLOAT+ ( sf-addr1 -- sf-addr2 ) 4 + ;
: SFALIGNED ( addr -- sf-addr ) 3 + -4 AND ;
: SFALIGN ( -- ) HERE SFALIGNED HERE - ALLOT ;

: FVARIABLE ( "name" -- ) CREATE 0 , ;
: FFIELD: ( n1 "name" -- n2 ) FALIGNED CREATE DUP , FLOAT+ DOES> @ + ;
: DFFIELD: ( n1 "name" -- n2 ) FFIELD: ;
: SFFIELD: ( n1 "name" -- n2 ) SFALIGNED CREATE DUP , SFLOAT+ DOES> @ + ;

\ No double has so many digits: what is behind them is zeros.
: REPRESENT ( c-addr u -- n flag1 flag2 ) ( F: r -- )
  DUP 800 U> IF 2DUP 800 /STRING [CHAR] 0 FILL DROP 800 THEN (REPRESENT) ;

\ Beside the standard.
3.141592653589793238E FCONSTANT PI
: FTUCK ( F: r1 r2 -- r2 r1 r2 ) FSWAP FOVER ;
: F> ( -- flag ) ( F: r1 r2 -- ) FSWAP F< ;
: F>= ( -- flag ) ( F: r1 r2 -- ) FSWAP F<= ;
: F<> ( -- flag ) ( F: r1 r2 -- ) F= 0= ;
: F0> ( -- flag ) ( F: r -- ) FNEGATE F0< ;
: F0<> ( -- flag ) ( F: r -- ) F0= 0= ;
: F2* ( F: r1 -- r2 ) 2E F* ;
: F2/ ( F: r1 -- r2 ) 0.5E F* ;
: 1/F ( F: r1 -- r2 ) 1E FSWAP F/ ;
