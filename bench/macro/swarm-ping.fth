\ swarm-ping.fth: how long a message takes to a unit of another node and back, one at a time.
\ The bench adds a line that begins it:   $HOST-ID TRIPS LIMIT-MS PATIENCE-MS run
\ and reads   done @ .   and   0 250 report   by evaluating them beside it.
\
\ TIME is that of the core's turn, so a trip lasts from the turn that sends to the turn that gets
\ the answer. An answer that comes after the next has gone counts with its own time.

1000 constant trips-max
create sent-ns trips-max cells allot
create trip-ns trips-max cells allot \ 0: no answer.
variable host
variable trips
variable patience-ms
variable ends-ns
variable sent
variable done

trip-ns trips-max cells erase

: ask ( n -- )
  time over cells sent-ns + !
  0 <# #s #> host @ send-host drop ;

: number ( c-addr u -- n ) 0. 2swap >number 2drop drop ;

\ The trip that a message is the answer of; -1 if of none.
: answered ( c-addr u from kind -- n )
  1 = swap host @ = and 0= if 2drop -1 exit then
  number dup sent @ u< 0= if drop -1 exit then
  dup cells trip-ns + dup @ if drop exit then
  over cells sent-ns + @ time swap - 1 max swap ! ;

\ Until trip n is answered, or so long.
: await ( n ms -- )
  1000000 * time + swap
  begin
    over time - dup 0> while
    1000000 / 1+ receive-for if 2drop 2drop 2drop exit then
    answered over =
  until 2drop exit then
  drop 2drop ;

: run ( host trips limit-ms patience-ms -- )
  patience-ms !  1000000 * time + ends-ns !  trips-max min trips !  host !
  begin sent @ trips @ < while
    ends-ns @ time - 0> while
    sent @  1 sent +!  dup ask  patience-ms @ await
  repeat then
  trips-max 200 await \ What is still on its way.
  1 done ! ;

: report ( from to -- ) sent @ min over max swap ?do trip-ns i cells + @ u. loop ;
