\ swarm-echo.fth: sends every message of another node's unit back to that node.

: serve ( -- )
  begin
    receive 1 = if send-host drop else drop 2drop then
  again ;

serve
