\ udp-echo.fth: sends every datagram on port 4207 back to where it came from.

variable echoed

: serve ( -- )
  4207 udp-bind throw
  begin
    receive nip 2 = if udp-reply 0= if 1 echoed +! then else 2drop then
  again ;

serve
