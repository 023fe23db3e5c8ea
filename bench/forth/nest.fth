\ Loops: three, nested, with nothing in them.
: nest ( n -- ) dup 0 do dup 0 do dup 0 do loop loop loop drop ;
600 nest 600 .
