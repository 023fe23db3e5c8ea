// boost.cpp: Boost.Fiber 1.74: fibers on one thread, buffered channels for mailboxes.
//
//     c++ -O2 boost.cpp -lboost_fiber -lboost_context -pthread -o boost && ./boost 1 GROUP [quick]
#include <boost/context/fixedsize_stack.hpp>
#include <boost/fiber/all.hpp>

#include "row.h"

namespace fibers = boost::fibers;
using channel = fibers::buffered_channel<int>;

static void spawn_and_join(int count)
{
    for (int i = 0; i < count; i++)
        fibers::fiber(std::allocator_arg, boost::context::fixedsize_stack(65536), [] {}).join();
}

static void yield_by_two(int count)
{
    auto yields = [=] {
        for (int i = 0; i < count / 2; i++)
            boost::this_fiber::yield();
    };
    fibers::fiber a(yields), b(yields);
    a.join();
    b.join();
}

static void ping_pong(int count)
{
    channel there{2}, back{2};
    fibers::fiber pong([&] {
        int ball;
        while (there.pop(ball) == fibers::channel_op_status::success)
            back.push(ball);
    });
    for (int i = 0, ball; i < count; i++) {
        there.push(i);
        back.pop(ball);
    }
    there.close();
    pong.join();
}

static void one_way(int count)
{
    channel mailbox{1024};
    fibers::fiber sink([&] {
        int message;
        while (mailbox.pop(message) == fibers::channel_op_status::success)
            continue;
    });
    for (int i = 0; i < count; i++)
        mailbox.push(i);
    mailbox.close();
    sink.join();
}

int main(int argc, char **argv)
{
    struct rows rows;
    if (!rows_begin(&rows, "boost", argc, argv)) return 0;
    if (rows_are(&rows, "spawn")) ROW(&rows, "spawn_exit_seq", 100000, spawn_and_join(100000));
    if (rows_are(&rows, "yield")) ROW(&rows, "yield_2procs", 2000000, yield_by_two(2000000));
    if (rows_are(&rows, "pingpong")) ROW(&rows, "pingpong", 300000, ping_pong(300000));
    if (rows_are(&rows, "oneway")) ROW(&rows, "oneway_1to1", 1000000, one_way(1000000));
    return 0;
}
