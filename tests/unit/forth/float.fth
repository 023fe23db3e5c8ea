\ float.fth: Floating-Point and its extensions (Forth 2012, 12), word by word, in the notation of the
\ standard's own tests. Prints each line that fails, then how many did. float_test.c runs it in three
\ ways of being interrupted; `weft forth tests/unit/forth/float.fth` runs it by hand.

variable cells-before   create cells-got 16 cells allot
variable floats-before  create floats-got 16 floats allot
variable failures
: clear ( ... -- ) ( F: ... -- ) depth 0 ?do drop loop fdepth 0 ?do fdrop loop ;
: fail ( c-addr u -- ) type source type cr 1 failures +! clear ;
: T{ ( -- ) clear ;
: -> ( ... -- ) ( F: ... -- )
  depth dup cells-before ! 0 ?do cells-got i cells + ! loop
  fdepth dup floats-before ! 0 ?do floats-got i floats + f! loop ;
: }T ( ... -- ) ( F: ... -- )
  depth cells-before @ <> fdepth floats-before @ <> or if s" depth: " fail exit then
  depth 0 ?do cells-got i cells + @ <> if s" cells: " fail unloop exit then loop
  fdepth 0 ?do floats-got i floats + f@ 0e f~ 0= if s" floats: " fail unloop exit then loop ;
: ~ ( -- flag ) ( F: r1 r2 -- ) -4e-15 f~ ; \ Equal, but for what a libm may differ in.
: bits ( -- x ) ( F: r -- ) here f! here @ ;

\ Codes of THROW are kept aside, for what a THROW leaves on the stacks is of no interest.
variable code-count  create codes 16 cells allot
: catches ( ... xt -- ) catch >r clear r> codes code-count @ cells + ! 1 code-count +! ;
: caught ( -- n1 ... ) code-count @ 0 ?do codes i cells + @ loop 0 code-count ! ;

1e 0e f/ fconstant inf
0e 0e f/ fconstant nan

\ 12.3.7 The text interpreter's numbers.
T{ 1e -> 1e0 }T
T{ 1E bits -> $3FF0000000000000 }T
T{ 1.E 1.E0 +1.23E-1 -1.23E+1 -> 1e 1e 123e-3 -12.3e }T
T{ 1e+ 1e- -> 1e 1e }T
T{ 0e bits -0e bits -> 0 $8000000000000000 }T
T{ 000.5e00 -> 5e-1 }T
T{ 123456789012345678901234567890e bits -> $45F8EE90FF6C373E }T
T{ 4.9406564584124654e-324 bits 2e-324 bits 3e-324 bits -> 1 0 1 }T
T{ 2.2250738585072011e-308 bits -> $FFFFFFFFFFFFF }T
T{ 1.7976931348623157e308 bits 1e309 bits -1e999999999999999999999 bits
   -> $7FEFFFFFFFFFFFFF $7FF0000000000000 $FFF0000000000000 }T
T{ 1e-999999999999999999999 bits -> 0 }T
T{ 1.00000000000000011102230246251565404236316680908203125e -> 1e }T
T{ 1.00000000000000011102230246251565404236316680908203126e bits -> $3FF0000000000001 }T
: evals ( c-addr u -- ) ['] evaluate catches ;
T{ s" .5e" evals caught -> -13 }T
T{ s" 1.5" evals caught -> -13 }T
T{ s" e" evals s" e5" evals s" +e" evals s" .e" evals caught -> -13 -13 -13 -13 }T
T{ s" 1e5x" evals s" 1ee" evals s" 1e5.0" evals s" 1.2.3e" evals caught -> -13 -13 -13 -13 }T
T{ s" 1d5" evals s" 1+5" evals s" --1e" evals s" 1e--1" evals caught -> -13 -13 -13 -13 }T
T{ s" #1e" evals s" inf0e" evals s" 0x1p3" evals s" 1_0e" evals caught -> -13 -13 -13 -13 }T
T{ hex 1e decimal -> 30 }T
T{ hex s" 1.5e" evals decimal caught -> -13 }T
T{ 8 base ! s" 1e" evals decimal caught -> -13 }T
: lit 1.5e -2e-3 ; T{ lit -> 1.5e -2e-3 }T
: 77e 7 ; T{ 77e -> 7 }T

\ The stack.
T{ fdepth 1e fdepth 2e fdepth -> 0 1 2 1e 2e }T
T{ 1e fdup -> 1e 1e }T
T{ 1e 2e fdrop -> 1e }T
T{ 1e 3e fswap -> 3e 1e }T
T{ 1e 3e fover -> 1e 3e 1e }T
T{ 1e 3e 4e frot -> 3e 4e 1e }T
T{ 1e 3e fnip -> 3e }T
T{ 1e 3e ftuck -> 3e 1e 3e }T
: thousand 1000 0 do i s>f loop ; : sum 999 0 do f+ loop ;
T{ thousand fdepth sum -> 1000 499500e }T
: down fdup f0= if exit then 1e f- recurse ; T{ 100e down -> 0e }T

\ Arithmetic.
T{ 1.5e 2.25e f+ 1e 0.5e f- 1.5e 4e f* 1e 4e f/ -> 3.75e 0.5e 6e 0.25e }T
T{ 1e fnegate 0e fnegate -> -1e -0e }T
T{ -1e fabs -0e fabs -> 1e 0e }T
T{ 1e 3e fmax 3e 1e fmax 1e 3e fmin 3e 1e fmin -> 3e 3e 1e 1e }T
T{ 0e -0e fmax -0e 0e fmax 0e -0e fmin -0e 0e fmin -> 0e 0e -0e -0e }T
T{ nan 1e fmax 1e nan fmax nan 1e fmin 1e nan fmin nan nan fmax fabs -> 1e 1e 1e 1e nan }T
T{ 1.5e floor -1.5e floor -0e floor 1e300 floor -> 1e -2e -0e 1e300 }T
T{ 0.5e fround 1.5e fround 2.5e fround -0.5e fround -2.5e fround -> 0e 2.0e 2.0e -0e -2e }T
T{ 4503599627370495.5e fround -> 4503599627370496e }T
T{ 1.9e ftrunc -1.9e ftrunc -0.1e ftrunc 1e300 ftrunc -> 1e -1e -0e 1e300 }T
T{ 3e f2* 3e f2/ 4e 1/f -> 6e 1.5e 0.25e }T
T{ 4e fsqrt 2.0e fsqrt bits 0e fsqrt -0e fsqrt -> 2.0e $3FF6A09E667F3BCD 0e -0e }T

\ IEEE 754: signed zeros, infinities, no numbers, denormal numbers.
T{ 0e 0e f+ 0e -0e f+ -0e 0e f+ -0e -0e f+ -> 0e 0e 0e -0e }T
T{ 0e 0e f- 0e -0e f- -0e 0e f- -0e -0e f- -> 0e 0e -0e 0e }T
T{ 0e -1e f* -0e -1e f* 0e -1e f/ -> -0e 0e -0e }T
T{ 1e 0e f/ -1e 0e f/ 1e -0e f/ 1e inf f/ 1e inf fnegate f/ -> inf inf fnegate inf fnegate 0e -0e }T
T{ 1e308 10e f* -1e308 10e f* inf 1e f+ -> inf inf fnegate inf }T
T{ 0e 0e f/ bits inf inf f- bits 0e inf f* bits inf inf f/ bits -1e fsqrt bits
   -> $7FF8000000000000 dup dup dup dup }T
T{ nan 1e f+ 1e nan f* nan fsqrt nan fsin nan 3e f** -> nan nan nan nan nan }T
T{ nan fnegate bits nan fnegate 1e f+ bits -> $FFF8000000000000 dup }T
T{ nan nan f= nan nan f< nan nan f<= nan 1e f> nan 1e f>= nan nan f<> -> 0 0 0 0 0 -1 }T
T{ nan f0= nan f0< nan f0> -> 0 0 0 }T
T{ 2.2250738585072014e-308 2.0e f/ bits 5e-324 2.0e f/ bits 5e-324 3e f* bits
   -> $8000000000000 0 3 }T
T{ 5e-324 1e308 f* 1e308 f* -> 4.9406564584124654e-324 1e308 f* 1e308 f* }T
T{ 9007199254740992e 1e f+ 9007199254740994e 1e f+ -> 9007199254740992e 9007199254740996e }T

\ Comparison.
T{ 1e 3e f< 3e 1e f< 1e 1e f< -0e 0e f< -> -1 0 0 0 }T
T{ 1e 3e f> 3e 1e f> 1e 1e f<= 1e 1e f>= 3e 1e f<= 1e 3e f>= -> 0 -1 -1 -1 0 0 }T
T{ 1e 1e f= -0e 0e f= 1e 3e f= 1e 3e f<> 1e 1e f<> -> -1 -1 0 -1 0 }T
T{ -1e f0< 0e f0< -0e f0< 1e f0< inf fnegate f0< -> -1 0 0 0 -1 }T
T{ 0e f0= -0e f0= 5e-324 f0= 1e f0> 0e f0> -1e f0> 0e f0<> 1e f0<> -> -1 -1 0 -1 0 0 0 -1 }T
T{ 1e 1.4e 0.5e f~ 1e 1.5e 0.5e f~ 1.4e 1e 0.5e f~ -> -1 0 -1 }T
T{ 1e 1e 0e f~ 0e -0e 0e f~ 0e -0e -0e f~ -0e -0e 0e f~ nan nan 0e f~ -> -1 0 0 -1 -1 }T
T{ 1e 1e -0.1e f~ 10e 11e -0.1e f~ 10e 13e -0.1e f~ -10e 11e -0.1e f~ -> -1 -1 0 0 }T
T{ inf inf 1e f~ inf inf 0e f~ inf 1e 1e f~ nan 1e 1e f~ 1e 1e nan f~ nan nan -1e f~ -> 0 -1 0 0 0 0 }T
T{ 0e 0e -1e f~ 0e -0e 1e f~ -> 0 -1 }T

\ To and from cells.
T{ 0 s>f -1 s>f 9007199254740993 s>f -> 0e -1e 9007199254740992e }T
T{ 9223372036854775807 s>f -> 9223372036854775808e }T
T{ 1.9e f>s -1.9e f>s -0e f>s -9223372036854775808e f>s -> 1 -1 0 -9223372036854775808 }T
T{ :noname 9223372036854775808e f>s ; catches :noname inf f>s ; catches :noname nan f>s ; catches caught
   -> -43 -43 -46 }T
T{ 1. d>f -1. d>f 0. d>f -> 1e -1e 0e }T
T{ 18446744073709551616. d>f -170141183460469231731687303715884105728. d>f
   -> 18446744073709551616e -170141183460469231731687303715884105728e }T
T{ 18446744073709551615. d>f 9007199254740993. d>f -> 18446744073709551616e 9007199254740992e }T
T{ 1.9e f>d -1.9e f>d 18446744073709551616e f>d -> 1. -1. 18446744073709551616. }T
T{ -170141183460469231731687303715884105728e f>d -> 0 $8000000000000000 }T
T{ :noname 170141183460469231731687303715884105728e f>d ; catches
   :noname -1e39 f>d ; catches :noname nan f>d ; catches caught -> -43 -43 -46 }T

\ Memory.
T{ 1 floats 1 dfloats 1 sfloats 3 floats 3 sfloats -> 8 8 4 24 12 }T
T{ 0 float+ 0 dfloat+ 0 sfloat+ 8 float+ -> 8 8 4 16 }T
T{ 0 faligned 1 faligned 8 faligned 9 dfaligned 1 sfaligned 4 sfaligned 5 sfaligned
   -> 0 8 8 16 4 4 8 }T
T{ 1 c, falign here 7 and 1 c, dfalign here 7 and 1 c, sfalign here 3 and align -> 0 0 0 }T
fvariable v
T{ v f@ -> 0e }T
T{ 1.5e v f! v f@ -> 1.5e }T
T{ v dup faligned = -> true }T
T{ -0e v f! v @ -> $8000000000000000 }T
T{ 1.1e v df! v df@ -> 1.1e }T
T{ 1.1e v sf! v sf@ v @ $FFFFFFFF and -> 1.10000002384185791015625e $3F8CCCCD }T
T{ 1e39 v sf! v sf@ 1e-50 v sf! v sf@ 1e-45 v sf! v sf@ -> inf 0e 1.40129846432481707e-45 }T
T{ nan v sf! v sf@ nan v f! v f@ -> nan nan }T
T{ ' f@ catches 0 ' f@ catches 1e 0 ' f! catches 0 ' sf@ catches 1e -1 ' sf! catches caught
   -> -4 -9 -9 -9 -9 }T
: odd here 1+ ; T{ 3e odd f! odd f@ 4e odd sf! odd sf@ -> 3e 4e }T
1.5e fconstant c
T{ c -> 1.5e }T
: uses-c c c f+ ; T{ uses-c -> 3e }T
T{ ' c execute -> 1.5e }T
3e fvalue w
: uses-w w ; : sets-w to w ;
T{ w uses-w -> 3e 3e }T
T{ 4e to w w uses-w 5e sets-w w -> 4e 4e 5e }T
: many [ 1e 3e f/ ] fliteral ; T{ many -> 1e 3e f/ }T
0 ffield: a.f 1+ sffield: a.sf 1+ dffield: a.df constant a.size
T{ 0 a.f 0 a.sf 0 a.df a.size -> 0 12 24 32 }T
create a a.size allot
T{ 1.5e a a.f f! 3e a a.sf sf! -1e a a.df df! a a.f f@ a a.sf sf@ a a.df df@ -> 1.5e 3e -1e }T

\ Functions.
T{ 0e fsin -0e fsin 0e fcos 0e ftan -> 0e -0e 1e 0e }T
T{ 1e fsin 0.84147098480789650665e ~ 1e fcos 0.54030230586813971740e ~
   1e ftan 1.55740772465490223050e ~ -> true true true }T
T{ 1e22 fsin -0.85220084976718880e ~ pi fsin 1.2246467991473532e-16 ~ -> true true }T
T{ 1e fsincos 1e fsin 1e fcos -> 1e fsin 1e fcos fover fover }T
T{ 1e fasin pi f2/ ~ 0.5e facos pi 3e f/ ~ 1e fatan pi 4e f/ ~ -> true true true }T
T{ 0e fasin 1e facos 0e fatan -> 0e 0e 0e }T
T{ 3e fasin bits 3e facos bits inf fsin bits -> $7FF8000000000000 dup dup }T
T{ 1e 1e fatan2 pi 4e f/ ~ 1e -1e fatan2 pi 0.75e f* ~ -1e 0e fatan2 pi -2e f/ ~ -> true true true }T
T{ 0e 1e fatan2 -0e 1e fatan2 0e -1e fatan2 -0e -1e fatan2 -> 0e -0e pi pi fnegate }T
T{ 0e fsinh 0e fcosh 0e ftanh -> 0e 1e 0e }T
T{ 1e fsinh 1.17520119364380145688e ~ 1e fcosh 1.54308063481524377848e ~
   1e ftanh 0.76159415595576488812e ~ -> true true true }T
T{ 1.17520119364380145688e fasinh 1e ~ 1.54308063481524377848e facosh 1e ~
   0.76159415595576488812e fatanh 1e ~ -> true true true }T
T{ 1e facosh 0e fasinh 0e fatanh 1e fatanh -> 0e 0e 0e inf }T
T{ 0e fexp 1e fexp 2.71828182845904523536e ~ 1000e fexp -1000e fexp -> 1e true inf 0e }T
T{ 0e fexpm1 -0e fexpm1 1e-20 fexpm1 1e fexpm1 1.71828182845904523536e ~ -> 0e -0e 1e-20 true }T
T{ 1e fln 2.71828182845904523536e fln 1e ~ 0e fln -1e fln bits -> 0e true inf fnegate nan bits }T
T{ 0e flnp1 1e-20 flnp1 1e flnp1 0.69314718055994530942e ~ -1e flnp1 -> 0e 1e-20 true inf fnegate }T
T{ 1e flog 1000e flog 1e-3 flog -3e ~ 0e falog 3e falog -3e falog 1e-3 ~ -> 0e 3e true 1e 1000e true }T
T{ 3e 4e f** 4e 0.5e f** 0e 0e f** nan 0e f** -8e 3e f** -> 81e 4e fsqrt 1e 1e -512e }T
T{ -8e 0.5e f** bits 1e nan f** 0e -1e f** -> nan bits 1e inf }T

\ Text.
T{ s" 1E" >float s" 1" >float s" 1." >float s" .5" >float s" -.5E1" >float
   -> true true true true true 1e 1e 1e 0.5e -5e }T
T{ s" 1d5" >float s" 1D+5" >float s" 1+5" >float s" 1-5" >float s" 1e-" >float
   -> true true true true true 1e5 1e5 1e5 1e-5 1e }T
T{ s" " >float s"    " >float -> true true 0e 0e }T
T{ s" ." >float s" E" >float s" .E" >float s" +" >float s" -.E+1" >float -> 0 0 0 0 0 }T
T{ s"  1" >float s" 1 " >float s" 1 E" >float s" 1E1E" >float s" 1F" >float -> 0 0 0 0 0 }T
T{ s" inf" >float s" nan" >float s" 0x1p3" >float s" 1E5.5" >float s" 1,5" >float -> 0 0 0 0 0 }T
T{ hex s" 1E1" >float decimal -> true 10e }T
create buffer 5000 allot
T{ buffer 5000 char 9 fill buffer 200 >float buffer 4096 >float buffer 4097 >float
   -> true true false 1e200 inf }T
T{ char . buffer c! buffer 4096 >float char 0 buffer c! buffer 4096 >float -> true true 1e inf }T
T{ buffer 5000 char 0 fill buffer 4096 >float char . buffer c! char 1 buffer 4000 + c! buffer 4096 >float
   -> true true 0e 0e }T
: digits ( u -- n flag1 flag2 c-addr u ) ( F: r -- ) buffer over represent buffer 4 roll ;
T{ 1e 5 digits s" 10000" compare -> 1 0 true 0 }T
T{ -0.02e 3e f/ 5 digits s" 66667" compare -> -2 -1 true 0 }T
T{ 99999.6e 5 digits s" 10000" compare -> 6 0 true 0 }T
T{ 0e 3 digits s" 000" compare nip nip nip -> 0 }T
T{ 2.5e 1 digits s" 2" compare 3.5e 1 digits s" 4" compare -> 1 0 true 0 1 0 true 0 }T
T{ 1e23 20 digits s" 99999999999999991611" compare -> 23 0 true 0 }T
T{ 123e 0 digits 2drop -> 3 0 true }T
T{ inf 5 digits s" inf  " compare inf fnegate 1 digits 2drop -> 0 0 false 0 0 true false }T
T{ nan 5 digits s" nan  " compare -> 0 0 false 0 }T
T{ 5e-324 1100 digits drop dup 750 + c@ swap 1099 + c@ -> -323 0 true char 5 char 0 }T
T{ 1e 0 5 ' represent catches 1e buffer 100000000 ' represent catches caught -> -9 -9 }T
T{ precision -> 15 }T
T{ 7 set-precision precision 0 set-precision precision 5000 set-precision precision 15 set-precision
   -> 7 1 800 }T
T{ hex c ' f. catches c ' fs. catches c ' fe. catches c buffer 5 ' represent catches decimal caught
   -> -40 -40 -40 -40 }T

\ Underflow, and what THROW restores.
T{ ' fdup catches ' fdrop catches ' fswap catches ' fover catches ' frot catches ' fnip catches caught
   -> -45 -45 -45 -45 -45 -45 }T
T{ ' f+ catches 1e ' f- catches 1e ' f* catches ' f/ catches ' fnegate catches ' fabs catches caught
   -> -45 -45 -45 -45 -45 -45 }T
T{ 1e ' f< catches 1e ' f= catches 1e ' f<= catches ' f0< catches ' f0= catches 1e 1e ' f~ catches caught
   -> -45 -45 -45 -45 -45 -45 }T
T{ here ' f! catches here ' sf! catches ' f>s catches ' f>d catches ' f. catches ' fs. catches caught
   -> -45 -45 -45 -45 -45 -45 }T
T{ ' fe. catches buffer 1 ' represent catches 1e ' f** catches 1e ' fatan2 catches ' fsincos catches caught
   -> -45 -45 -45 -45 -45 }T
T{ ' fsin catches ' floor catches 1e ' fmax catches 1e ' fmin catches ' fsqrt catches ' fround catches caught
   -> -45 -45 -45 -45 -45 -45 }T
T{ s" fconstant n" evals s" fvalue n" evals s" to w" evals s" : n fliteral ;" evals caught
   -> -45 -45 -45 -45 }T
: drops fdrop fdrop 5 throw ;
: pushes 6e 7e 8e 5 throw ;
T{ 1e 3e ' drops catch -> 5 1e 3e }T
T{ 1e 3e ' pushes catch -> 5 1e 3e }T
T{ :noname begin 1e again ; catches caught -> -44 }T
T{ s" floating" environment? s" floating-ext" environment? s" floating-stack" environment? drop 0>
   -> true true true true -1 }T
T{ s" max-float" environment? -> true 1.7976931348623157e308 }T

clear failures @ . .( failed)
