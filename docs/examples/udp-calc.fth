\ udp-calc.fth: a calculator behind UDP port 4200. Each datagram is a Forth text; the answer is what it
\ prints, or the text of its error. It runs in a sandbox, a copy of this unit with quotas of memory
\ and reductions that cannot reach the node, and nothing it does is remembered.

4200 constant port
20000 constant reductions

: answer ( c-addr u -- )
  reductions sandbox drop trim
  dup 0= if 2drop s" ok" then
  udp-reply drop ;

: serve ( -- )
  port udp-bind throw
  begin
    receive nip 2 = if answer else 2drop then
  again ;

serve
