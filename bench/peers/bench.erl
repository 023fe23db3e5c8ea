%% bench.erl: the rows of `./do bench actors` on Erlang/OTP. See README.md for how programs are run
%% and what they print.
%%
%%   erlc bench.erl && erl +P 2000000 +S 1:1 -noshell -s bench main GROUP [quick] -s init stop
%%
%% One function a group. A row takes the best of five runs, CPU and wall time apart.
-module(bench).
-compile([export_all, nowarn_export_all]).

main([Group | Rest]) ->
    put(quick, Rest =/= []),
    Known = [spawn, mem, pingpong, oneway, ring, yield, timer, selrecv, registry, ets, call, super,
             storm, savina, spread, idle],
    case lists:member(Group, Known) of
        true -> rows(Group);
        false -> ok
    end.

rows(spawn) -> spawn_rows();
rows(Group) -> ?MODULE:Group().

%% ---- Measuring.

mono() -> erlang:monotonic_time(nanosecond).

cpu_ms() -> element(1, erlang:statistics(runtime)).

is_quick() -> get(quick) =:= true.

runs() -> case is_quick() of true -> 1; false -> 5 end.

tell(Row, Cpu, Wall, Unit) ->
    io:format("figure erlang ~w ~s ~s ~s ~s -~n",
              [erlang:system_info(schedulers_online), Row, number(Cpu), number(Wall), Unit]).

number(none) -> "-";
number(Value) -> io_lib:format("~.2f", [Value * 1.0]).

%% F does N operations.
row(Row, N, F) ->
    Runs = [begin
                garbage_collect(),
                Cpu = cpu_ms(),
                Begun = mono(),
                F(),
                Wall = mono() - Begun,
                {(cpu_ms() - Cpu) * 1.0e6 / N, Wall / N}
            end || _ <- lists:seq(1, runs())],
    tell(Row, lists:min([Cpu || {Cpu, _} <- Runs]), lists:min([Wall || {_, Wall} <- Runs]), ns).

value(Row, Value, Unit) -> tell(Row, none, Value, Unit).

repeat(0, _) -> ok;
repeat(N, F) -> F(), repeat(N - 1, F).

%% Until fewer than so many processes are left.
quiet(Count) ->
    case erlang:system_info(process_count) < Count of
        true -> ok;
        false -> erlang:yield(), quiet(Count)
    end.

on_scheduler(Number, F) ->
    {_, Ref} = spawn_opt(F, [monitor, {scheduler, Number}]),
    receive {'DOWN', Ref, _, _, normal} -> ok end.

%% on_scheduler, in a process that knows whether it is quick.
bound(Number, F) ->
    Quick = is_quick(),
    on_scheduler(Number, fun() -> put(quick, Quick), F() end).

%% ---- spawn

spawn_rows() ->
    Parent = self(),
    row("spawn_exit_seq", 100000, fun() ->
        repeat(100000, fun() -> spawn(fun() -> Parent ! done end), receive done -> ok end end)
    end),
    row("spawn_monitor_seq", 100000, fun() ->
        repeat(100000, fun() ->
            {_, Ref} = spawn_monitor(fun() -> ok end),
            receive {'DOWN', Ref, _, _, _} -> ok end
        end)
    end),
    row("spawn_exit_1M", 1000000, fun() ->
        repeat(1000000, fun() -> spawn(fun() -> ok end) end),
        quiet(100)
    end).

%% ---- mem

resident() ->
    {ok, Status} = file:read_file("/proc/self/status"),
    {match, [Kilobytes]} = re:run(Status, "VmRSS:\\s+(\\d+)", [{capture, [1], list}]),
    list_to_integer(Kilobytes) * 1024.

mem() ->
    Parent = self(),
    _ = resident(), % Loads what it needs.
    Sizes = case is_quick() of
                true -> [{100000, "100k"}];
                false -> [{100000, "100k"}, {1000000, "1M"}]
            end,
    lists:foreach(fun({N, Size}) ->
        Before = resident(),
        Begun = mono(),
        Cpu = cpu_ms(),
        Pids = [spawn(fun() -> receive {go, Who} -> Who ! answer end end) || _ <- lists:seq(1, N)],
        Kept = mono(),
        tell("spawn_keep_" ++ Size, (cpu_ms() - Cpu) * 1.0e6 / N, (Kept - Begun) / N, ns),
        value("mem_per_proc_" ++ Size, (resident() - Before) / N, bytes),
        Waking = mono(),
        Cpu2 = cpu_ms(),
        [Pid ! {go, Parent} || Pid <- Pids],
        [receive answer -> ok end || _ <- Pids],
        tell("wake_all_exit_" ++ Size, (cpu_ms() - Cpu2) * 1.0e6 / N, (mono() - Waking) / N, ns),
        quiet(100)
    end, Sizes).

%% ---- pingpong: both on the first scheduler; then one on each of two.

ping(0, _) -> ok;
ping(N, Pong) -> Pong ! {ping, self()}, receive pong -> ok end, ping(N - 1, Pong).

pong() ->
    receive
        {ping, From} -> From ! pong, pong();
        stop -> ok
    end.

pingpong() ->
    N = 300000,
    bound(1, fun() ->
        Pong = spawn_opt(fun pong/0, [{scheduler, 1}]),
        row("pingpong", N, fun() -> ping(N, Pong) end),
        Pong ! stop
    end),
    case erlang:system_info(schedulers_online) > 1 of
        true -> bound(1, fun() ->
                    Pong = spawn_opt(fun pong/0, [{scheduler, 2}]),
                    Apart = N div 6,
                    row("pingpong_2core", Apart, fun() -> ping(Apart, Pong) end),
                    Pong ! stop
                end);
        false -> ok
    end.

%% ---- oneway

sink(0, Parent) -> Parent ! done;
sink(N, Parent) -> receive _ -> sink(N - 1, Parent) end.

flood(0, _) -> ok;
flood(N, To) -> To ! {inc, N}, flood(N - 1, To).

oneway() ->
    Parent = self(),
    N = 1000000,
    OffHeap = [{message_queue_data, off_heap}],
    Sink = fun(Options) -> spawn_opt(fun() -> sink(N, Parent) end, Options) end,
    OneToOne = fun(Options) ->
        flood(N, Sink(Options)),
        receive done -> ok end
    end,
    FanIn = fun(Options) ->
        To = Sink(Options),
        repeat(1000, fun() -> spawn(fun() -> flood(1000, To) end) end),
        receive done -> ok end
    end,
    row("oneway_1to1", N, fun() -> OneToOne([]) end),
    row("oneway_1to1_offheap", N, fun() -> OneToOne(OffHeap) end),
    row("fanin_1000", N, fun() -> FanIn([]) end),
    row("fanin_1000_offheap", N, fun() -> FanIn(OffHeap) end),
    row("fanout_1000", N, fun() ->
        Sinks = [spawn(fun() -> sink(1000, Parent) end) || _ <- lists:seq(1, 1000)],
        repeat(1000, fun() -> [To ! {inc, 1} || To <- Sinks] end),
        [receive done -> ok end || _ <- Sinks]
    end).

%% ---- ring

node_of(Next) ->
    receive
        {0, Parent} -> Parent ! done, Next ! stop;
        {Left, Parent} -> Next ! {Left - 1, Parent}, node_of(Next);
        stop -> Next ! stop
    end.

ring() ->
    N = 2000000,
    Parent = self(),
    row("ring_503", N, fun() ->
        Head = spawn(fun() -> receive {next, Next} -> node_of(Next) end end),
        Last = lists:foldl(fun(_, Next) -> spawn(fun() -> node_of(Next) end) end, Head,
                           lists:seq(1, 502)),
        Head ! {next, Last},
        Last ! {N, Parent},
        receive done -> ok end
    end).

%% ---- yield

yields(0) -> ok;
yields(N) -> erlang:yield(), yields(N - 1).

yield() ->
    N = 1000000,
    Parent = self(),
    row("yield_2procs", 2 * N, fun() ->
        on_scheduler(1, fun() ->
            spawn_opt(fun() -> yields(N) end, [{scheduler, 1}, monitor]),
            yields(N)
        end)
    end),
    row("yield_1000procs", N, fun() ->
        [spawn(fun() -> yields(N div 1000), Parent ! done end) || _ <- lists:seq(1, 1000)],
        [receive done -> ok end || _ <- lists:seq(1, 1000)]
    end).

%% ---- timer

timer() ->
    Self = self(),
    N = case is_quick() of true -> 50000; false -> 500000 end,
    Runs = [begin
                {C0, T0} = {cpu_ms(), mono()},
                Refs = [erlang:send_after(60000 + (I rem 100000), Self, tick)
                        || I <- lists:seq(1, N)],
                {C1, T1} = {cpu_ms(), mono()},
                [erlang:cancel_timer(Ref) || Ref <- Refs],
                {C2, T2} = {cpu_ms(), mono()},
                {(C1 - C0) * 1.0e6 / N, (T1 - T0) / N, (C2 - C1) * 1.0e6 / N, (T2 - T1) / N}
            end || _ <- lists:seq(1, runs())],
    Best = fun(At) -> lists:min([element(At, Run) || Run <- Runs]) end,
    tell("timer_arm", Best(1), Best(2), ns),
    tell("timer_cancel", Best(3), Best(4), ns),
    row("timer_arm_fire_zero", N, fun() ->
        repeat(N, fun() -> erlang:send_after(0, Self, tick) end),
        drain(N)
    end),
    Rounds = case is_quick() of true -> 1; false -> 3 end,
    Late = lists:sort(lists:append([late_round(Self) || _ <- lists:seq(1, Rounds)])),
    value("timer_late_p50", lists:nth(Rounds * 1000, Late) / 1000, us),
    value("timer_late_p99", lists:nth(Rounds * 1980, Late) / 1000, us),
    is_quick() orelse a_million_timers(Self).

late_round(Self) ->
    [begin
         Delay = 10 + rand:uniform(500),
         erlang:send_after(Delay, Self, {tick, mono() + Delay * 1000000})
     end || _ <- lists:seq(1, 2000)],
    [receive {tick, Due} -> mono() - Due end || _ <- lists:seq(1, 2000)].

a_million_timers(Self) ->
    Begun = mono(),
    [erlang:send_after(1000 + rand:uniform(1000), Self, tick) || _ <- lists:seq(1, 1000000)],
    Armed = mono(),
    drain(1000000),
    value("timer_1M_fire_in_1s_done_at", (mono() - Begun) / 1.0e6, ms),
    value("timer_1M_arm", (Armed - Begun) / 1000000, ns).

drain(0) -> ok;
drain(N) -> receive tick -> drain(N - 1) end.

%% ---- selrecv: a fresh reference lets the receive skip what came before it; a plain pattern looks
%% at all 10 000.

echo() ->
    receive
        {call, From, Ref, X} -> From ! {Ref, X}, echo();
        {plain, From} -> From ! pong, echo();
        stop -> ok
    end.

selrecv() ->
    Self = self(),
    Echo = spawn(fun echo/0),
    [Self ! {noise, I} || I <- lists:seq(1, 10000)],
    row("selrecv_ref_10k_backlog", 50000, fun() ->
        repeat(50000, fun() ->
            Ref = make_ref(),
            Echo ! {call, Self, Ref, 1},
            receive {Ref, _} -> ok end
        end)
    end),
    row("selrecv_scan_10k_backlog", 300, fun() ->
        repeat(300, fun() -> Echo ! {plain, Self}, receive pong -> ok end end)
    end),
    Echo ! stop.

%% ---- registry

registry() ->
    N = 1000000,
    register(bench_reg, spawn(fun echo/0)),
    row("registry_whereis", N, fun() -> repeat(N, fun() -> whereis(bench_reg) end) end),
    Other = spawn(fun echo/0),
    row("registry_register_unreg", 100000, fun() ->
        repeat(100000, fun() -> register(bench_x, Other), unregister(bench_x) end)
    end).

%% ---- ets: a million rows under scattered keys of 32 bits.

key(N) -> (N * 2654435761) band 16#ffffffff.

insert(_, 0) -> ok;
insert(Table, N) -> ets:insert(Table, {key(N), N}), insert(Table, N - 1).

lookup(_, 0) -> ok;
lookup(Table, N) -> ets:lookup(Table, key(N)), lookup(Table, N - 1).

%% The same keys, in an order that has nothing to do with that of the inserts (Lehmer's generator).
wander(_, 0, _, _) -> ok;
wander(Table, N, Seed, Rows) ->
    Next = (Seed * 16807) rem 2147483647,
    ets:lookup(Table, key(Next rem Rows + 1)),
    wander(Table, N - 1, Next, Rows).

count(_, 0) -> ok;
count(Table, N) -> ets:update_counter(Table, key(N), {2, 1}), count(Table, N - 1).

mixed(_, 0, _) -> ok;
mixed(Table, N, Offset) ->
    Key = key(N + Offset),
    case N rem 10 of
        0 -> ets:insert(Table, {Key, N});
        _ -> ets:lookup(Table, Key)
    end,
    mixed(Table, N - 1, Offset).

ets() ->
    N = case is_quick() of true -> 100000; false -> 1000000 end,
    Parent = self(),
    row("ets_set_insert_1M", N, fun() ->
        Table = ets:new(t, [set, public]),
        insert(Table, N),
        ets:delete(Table)
    end),
    Set = ets:new(t, [set, public]),
    insert(Set, N),
    row("ets_set_lookup_1M", N, fun() -> lookup(Set, N) end),
    row("ets_set_lookup_random", N, fun() -> wander(Set, N, 42, N) end),
    row("ets_update_counter", N, fun() -> count(Set, N) end),
    Ordered = ets:new(t, [ordered_set, public]),
    insert(Ordered, N),
    row("ets_ordered_lookup_1M", N, fun() -> lookup(Ordered, N) end),
    row("ets_ordered_lookup_random", N, fun() -> wander(Ordered, N, 42, N) end),
    Shared = ets:new(t, [set, public, {read_concurrency, true}, {write_concurrency, auto}]),
    insert(Shared, N),
    row("ets_conc_2procs_90r10w", 2 * N, fun() ->
        [spawn(fun() -> mixed(Shared, N, Offset), Parent ! done end) || Offset <- [7, 13]],
        [receive done -> ok end || _ <- [1, 2]]
    end),
    value("ets_bytes_per_row", ets:info(Set, memory) * erlang:system_info(wordsize) / N, bytes).

%% ---- call and super: this module is the server, and the supervisor's callback.

init({sup, N}) ->
    Children = [#{id => I, start => {?MODULE, start_child, []}, shutdown => brutal_kill}
                || I <- lists:seq(1, N)],
    {ok, {#{strategy => one_for_one, intensity => 1000000000, period => 1}, Children}};
init(State) -> {ok, State}.

handle_call(inc, _, State) -> {reply, State, State + 1}.
handle_cast(inc, State) -> {noreply, State + 1}.
handle_info(_, State) -> {noreply, State}.

call() ->
    N = 200000,
    Parent = self(),
    {ok, Server} = gen_server:start(?MODULE, 0, []),
    row("genserver_call", N, fun() -> repeat(N, fun() -> gen_server:call(Server, inc) end) end),
    row("genserver_cast", N, fun() ->
        repeat(N, fun() -> gen_server:cast(Server, inc) end),
        gen_server:call(Server, inc, infinity)
    end),
    row("genserver_call_100clients", N, fun() ->
        [spawn(fun() ->
             repeat(N div 100, fun() -> gen_server:call(Server, inc) end),
             Parent ! done
         end) || _ <- lists:seq(1, 100)],
        [receive done -> ok end || _ <- lists:seq(1, 100)]
    end),
    gen_server:stop(Server).

start_child() ->
    {ok, Pid} = gen_server:start_link(?MODULE, 0, []),
    bench_observer ! {up, Pid},
    {ok, Pid}.

super() ->
    logger:set_primary_config(level, none),
    register(bench_observer, self()),
    {ok, Supervisor} = supervisor:start_link(?MODULE, {sup, 1}),
    receive {up, First} -> put(child, First) end,
    row("supervisor_restart", 300, fun() ->
        repeat(300, fun() ->
            exit(get(child), kill),
            receive {up, Next} -> put(child, Next) end
        end)
    end),
    unlink(Supervisor),
    exit(Supervisor, kill).

%% ---- storm

storm() ->
    N = case is_quick() of true -> 5000; false -> 100000 end,
    Best = fun(F) -> lists:min([F(N) || _ <- lists:seq(1, runs())]) / 1.0e6 end,
    value("exit_storm_star_100k", Best(fun star/1), ms),
    value("exit_storm_chain_100k", Best(fun fall_of_chain/1), ms),
    value("monitor_down_100k", Best(fun monitored/1), ms).

leaf() -> receive never -> ok end.

star(N) ->
    Parent = self(),
    Hub = spawn(fun() ->
        Leaves = [spawn_link(fun leaf/0) || _ <- lists:seq(1, N)],
        Parent ! {ready, Leaves},
        receive die -> exit(boom) end
    end),
    receive {ready, _} -> ok end,
    fall(Hub).

fall_of_chain(N) ->
    Parent = self(),
    First = spawn(fun() -> chain(N, Parent), receive die -> exit(boom) end end),
    receive ready -> ok end,
    fall(First).

chain(0, Parent) -> Parent ! ready;
chain(N, Parent) -> spawn_link(fun() -> chain(N - 1, Parent), leaf() end).

fall(Pid) ->
    Begun = mono(),
    Pid ! die,
    quiet(100),
    mono() - Begun.

monitored(N) ->
    Pids = [spawn_monitor(fun leaf/0) || _ <- lists:seq(1, N)],
    Begun = mono(),
    [exit(Pid, kill) || {Pid, _} <- Pids],
    [receive {'DOWN', _, _, _, _} -> ok end || _ <- Pids],
    mono() - Begun.

%% ---- savina

savina() ->
    Self = self(),
    row("sav_counting_1M", 1000000, fun() ->
        Counter = spawn(fun() -> counter(0) end),
        repeat(1000000, fun() -> Counter ! inc end),
        Counter ! {get, Self},
        receive {count, 1000000} -> ok end
    end),
    row("sav_fjcreate_40k", 40000, fun() ->
        Fork = fun() -> receive go -> Self ! {forked, math:sin(37.2)} end end,
        repeat(40000, fun() -> spawn(Fork) ! go end),
        [receive {forked, _} -> ok end || _ <- lists:seq(1, 40000)]
    end),
    row("sav_fib_23", 92735, fun() ->
        spawn(fun() -> fib(23, Self) end),
        receive {fib, 28657} -> ok end
    end),
    row("sav_big_120x2000", 240000, fun() ->
        Bigs = [spawn(fun() -> receive {all, All} -> big(All, 2000, Self) end end)
                || _ <- lists:seq(1, 120)],
        All = list_to_tuple(Bigs),
        [Big ! {all, All} || Big <- Bigs],
        [receive big_done -> ok end || _ <- Bigs],
        [Big ! stop || Big <- Bigs]
    end),
    row("sav_chameneos_100x200k", 200000, fun() ->
        Broker = spawn(fun() -> broker(200000, Self) end),
        Creatures = [spawn(fun() -> creature(Broker) end) || _ <- lists:seq(1, 100)],
        receive broker_done -> ok end,
        [Creature ! stop || Creature <- Creatures]
    end),
    row("sav_philosophers_20x5k", 100000, fun() ->
        Table = spawn(fun() -> table(erlang:make_tuple(20, false)) end),
        [spawn(fun() -> philosopher(Seat, 5000, Table, Self) end) || Seat <- lists:seq(0, 19)],
        [receive philosopher_done -> ok end || _ <- lists:seq(1, 20)],
        Table ! stop
    end).

counter(N) ->
    receive
        inc -> counter(N + 1);
        {get, From} -> From ! {count, N}
    end.

fib(N, Parent) when N < 3 -> Parent ! {fib, 1};
fib(N, Parent) ->
    Self = self(),
    spawn(fun() -> fib(N - 1, Self) end),
    spawn(fun() -> fib(N - 2, Self) end),
    receive {fib, A} -> ok end,
    receive {fib, B} -> ok end,
    Parent ! {fib, A + B}.

big(All, N, Parent) ->
    element(1 + erlang:phash2(make_ref(), size(All)), All) ! {ping, self()},
    big(All, N, Parent, erlang:phash2(self())).

big(All, N, Parent, Random) ->
    receive
        {ping, From} -> From ! pong, big(All, N, Parent, Random);
        pong when N =:= 1 -> Parent ! big_done, big(All, 0, Parent, Random);
        pong when N > 1 ->
            Next = (Random * 1103515245 + 12345) band 16#7fffffff,
            element(1 + (Next bsr 8) rem size(All), All) ! {ping, self()},
            big(All, N - 1, Parent, Next);
        stop -> ok
    end.

creature(Broker) -> Broker ! {meet, self()}, wait_to_meet(Broker).

wait_to_meet(Broker) ->
    receive
        {met, _} -> creature(Broker);
        stop -> ok
    end.

broker(0, Parent) -> Parent ! broker_done;
broker(N, Parent) ->
    receive {meet, A} -> ok end,
    receive {meet, B} -> ok end,
    A ! {met, B},
    B ! {met, A},
    broker(N - 1, Parent).

philosopher(_, 0, _, Parent) -> Parent ! philosopher_done;
philosopher(Seat, N, Table, Parent) ->
    Table ! {hungry, Seat, self()},
    receive
        yes -> Table ! {full, Seat}, philosopher(Seat, N - 1, Table, Parent);
        no -> philosopher(Seat, N, Table, Parent)
    end.

table(Taken) ->
    receive
        {hungry, Seat, Who} ->
            {Left, Right} = forks(Seat),
            case element(Left, Taken) orelse element(Right, Taken) of
                true -> Who ! no, table(Taken);
                false ->
                    Who ! yes,
                    table(setelement(Right, setelement(Left, Taken, true), true))
            end;
        {full, Seat} ->
            {Left, Right} = forks(Seat),
            table(setelement(Right, setelement(Left, Taken, false), false));
        stop -> ok
    end.

forks(Seat) -> {Seat + 1, (Seat + 1) rem 20 + 1}.

%% ---- spread: pairs that talk to nobody else.

spread() ->
    Parent = self(),
    N = 800000,
    row("pairs_8", N, fun() ->
        [spawn(fun() ->
             Pong = spawn(fun pong/0),
             ping(N div 8, Pong),
             Pong ! stop,
             Parent ! done
         end) || _ <- lists:seq(1, 8)],
        [receive done -> ok end || _ <- lists:seq(1, 8)]
    end).

%% ---- idle

idle() ->
    timer:sleep(100),
    Begun = mono(),
    Cpu = cpu_ms(),
    timer:sleep(case is_quick() of true -> 200; false -> 2000 end),
    value("idle_cpu", 100.0e6 * (cpu_ms() - Cpu) / (mono() - Begun), "%").
