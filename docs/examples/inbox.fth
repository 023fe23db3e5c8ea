\ inbox.fth: takes the messages that other units send, and keeps the last one of each kind.
\ A unit on another node sends with   s" hello" s" n3" node throw send-host throw
\ `weft unit eval n3/inbox 'report'` looks inside, while the unit waits for the next.

256 constant size-max
size-max buffer: text
variable length
variable count-near
variable count-far

: keep ( c-addr u -- ) size-max min dup length ! text swap move ;

: report ( -- )
  count-near @ . ." from siblings, " count-far @ . ." from afar"
  length @ if ." , the last: " text length @ type then ;

: serve ( -- )
  begin
    receive nip case
      0 of 1 count-near +! keep endof
      1 of 1 count-far +! keep endof
      >r 2drop r>
    endcase
  again ;

serve
