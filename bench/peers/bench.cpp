// bench.cpp: the rows of `./do bench actors` on CAF 0.17, the C++ Actor Framework. See README.md
// for how programs are run and what they print.
//
//     c++ -O2 -std=c++17 bench.cpp -lcaf_core -pthread -o bench && ./bench CORES GROUP [quick]
//
// One function a group. A row takes the best of five runs, CPU and wall time apart. All actors are
// event-based; a run is over when every actor of it has ended.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <caf/all.hpp>

using caf::actor;
using caf::actor_cast;
using caf::actor_system;
using caf::behavior;
using steady = std::chrono::steady_clock;
using self_t = caf::event_based_actor;
using milliseconds = std::chrono::milliseconds;

namespace {

int cores = 1;
bool quick = false;

// ---- Measuring.

double since_ns(steady::time_point begun)
{
    return std::chrono::duration<double, std::nano>(steady::now() - begun).count();
}

double cpu_ns()
{
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e9 +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3;
}

void tell(const std::string &row, double cpu, double wall, const char *unit)
{
    char text[32] = "-";
    if (!std::isnan(cpu)) snprintf(text, sizeof(text), "%.2f", cpu);
    printf("figure caf %d %s %s %.2f %s -\n", cores, row.c_str(), text, wall, unit);
    fflush(stdout);
}

void value(const std::string &row, double value, const char *unit)
{
    tell(row, std::nan(""), value, unit);
}

int runs()
{
    return quick ? 1 : 5;
}

// `work` does n operations.
void row(const char *name, double n, const std::function<void()> &work)
{
    double cpu = std::numeric_limits<double>::infinity(), wall = cpu;
    for (int i = 0; i < runs(); i++) {
        const double cpu_begun = cpu_ns();
        const auto begun = steady::now();
        work();
        wall = std::min(wall, since_ns(begun) / n);
        cpu = std::min(cpu, (cpu_ns() - cpu_begun) / n);
    }
    tell(name, cpu, wall, "ns");
}

// What the main thread waits for: so many hits.
class countdown {
  public:
    explicit countdown(int left) : left_(left)
    {
    }
    void hit()
    {
        if (--left_ == 0) done_.set_value();
    }
    void wait()
    {
        done_.get_future().wait();
    }

  private:
    std::promise<void> done_;
    std::atomic<int> left_;
};

template <class F> actor make(actor_system &system, F body)
{
    return system.spawn([body](self_t *self) -> behavior { return body(self); });
}

actor me(self_t *self)
{
    return actor_cast<actor>(self);
}

void kill(const actor &whom)
{
    caf::anon_send_exit(whom, caf::exit_reason::kill);
}

// ---- spawn

void spawn(actor_system &system)
{
    row("spawn_exit_1M", 1e6, [&] {
        for (int i = 0; i < 1000000; i++)
            system.spawn([](self_t *) {});
        system.await_all_actors_done();
    });
    row("spawn_exit_seq", 1e5, [&] {
        countdown done(1);
        auto parent = make(system, [&](self_t *self) {
            auto left = std::make_shared<int>(100000);
            return behavior{[=, &done](int) {
                if (--*left == 0) {
                    done.hit();
                    self->quit();
                    return;
                }
                const actor own = me(self);
                self->spawn([own](self_t *child) { child->send(own, 1); });
            }};
        });
        caf::anon_send(parent, 1);
        done.wait();
        system.await_all_actors_done();
    });
}

// ---- mem

double resident()
{
    double kilobytes = 0;
    char line[128];
    FILE *status = fopen("/proc/self/status", "re");
    while (fgets(line, sizeof(line), status) != nullptr)
        sscanf(line, "VmRSS: %lf", &kilobytes);
    fclose(status);
    return kilobytes * 1024;
}

void keep(actor_system &system, int n, const std::string &size)
{
    std::vector<actor> actors;
    actors.reserve(n);
    countdown done(n);
    const double before = resident();
    double cpu = cpu_ns();
    auto begun = steady::now();
    for (int i = 0; i < n; i++)
        actors.push_back(make(system, [&done](self_t *self) {
            return behavior{[self, &done](int) {
                done.hit();
                self->quit();
            }};
        }));
    const double wall = since_ns(begun);
    tell("spawn_keep_" + size, (cpu_ns() - cpu) / n, wall / n, "ns");
    std::this_thread::sleep_for(std::chrono::seconds(1)); // All wait.
    value("mem_per_proc_" + size, (resident() - before) / n, "bytes");
    cpu = cpu_ns();
    begun = steady::now();
    for (auto &sleeper : actors)
        caf::anon_send(sleeper, 1);
    done.wait();
    const double woken = since_ns(begun);
    tell("wake_all_exit_" + size, (cpu_ns() - cpu) / n, woken / n, "ns");
    actors.clear();
    system.await_all_actors_done();
}

void mem(actor_system &system)
{
    keep(system, 100000, "100k");
    if (!quick) keep(system, 1000000, "1M");
}

// ---- pingpong: where the scheduler puts them.

void ping(actor_system &system, int n, countdown &done)
{
    auto pong = make(system, [](self_t *self) {
        return behavior{[self](const actor &from, int ball) {
            if (ball == 0) self->quit();
            self->send(from, ball);
        }};
    });
    auto first = make(system, [=, &done](self_t *self) {
        return behavior{[=, &done](int ball) {
            if (ball == 0) {
                done.hit();
                self->quit();
                return;
            }
            self->send(pong, me(self), ball - 1);
        }};
    });
    caf::anon_send(first, n);
}

void pingpong(actor_system &system)
{
    const int n = 300000;
    row("pingpong", n, [&] {
        countdown done(1);
        ping(system, n, done);
        done.wait();
        system.await_all_actors_done();
    });
}

// ---- oneway

actor sink(actor_system &system, countdown &done, int n)
{
    return make(system, [&done, n](self_t *self) {
        auto left = std::make_shared<int>(n);
        return behavior{[=, &done](int) {
            if (--*left > 0) return;
            done.hit();
            self->quit();
        }};
    });
}

void oneway(actor_system &system)
{
    const int n = 1000000, many = 1000;
    row("oneway_1to1", n, [&] {
        countdown done(1);
        auto to = sink(system, done, n);
        system.spawn([=](self_t *self) {
            for (int i = 0; i < n; i++)
                self->send(to, i);
        });
        done.wait();
        system.await_all_actors_done();
    });
    row("fanin_1000", n, [&] {
        countdown done(1);
        auto to = sink(system, done, n);
        for (int k = 0; k < many; k++)
            system.spawn([=](self_t *self) {
                for (int i = 0; i < n / many; i++)
                    self->send(to, i);
            });
        done.wait();
        system.await_all_actors_done();
    });
    row("fanout_1000", n, [&] {
        countdown done(many);
        std::vector<actor> sinks;
        for (int k = 0; k < many; k++)
            sinks.push_back(sink(system, done, n / many));
        system.spawn([=](self_t *self) {
            for (int i = 0; i < n / many; i++)
                for (auto &to : sinks)
                    self->send(to, i);
        });
        done.wait();
        system.await_all_actors_done();
    });
}

// ---- ring

actor ring_node(actor_system &system, const actor &next, countdown &done)
{
    return make(system, [=, &done](self_t *self) {
        auto to = std::make_shared<actor>(next);
        return behavior{[=](const actor &other) { *to = other; },
                        [=, &done](int left) {
                            if (left > 0) {
                                self->send(*to, left - 1);
                                return;
                            }
                            if (left == 0) done.hit();
                            self->send(*to, -1);
                            *to = actor{}; // Or the ring would keep itself.
                            self->quit();
                        }};
    });
}

void ring(actor_system &system)
{
    const int n = 1000000, nodes = 503;
    row("ring_503", n, [&] {
        countdown done(1);
        auto first = ring_node(system, actor{}, done), next = first;
        for (int i = 1; i < nodes; i++)
            next = ring_node(system, next, done);
        caf::anon_send(first, next);
        caf::anon_send(first, n);
        done.wait();
        first = next = actor{};
        system.await_all_actors_done();
    });
}

// ---- timer: no way to cancel one.

void arm(actor_system &system)
{
    const int n = quick ? 20000 : 200000;
    double cpu = std::numeric_limits<double>::infinity(), wall = cpu;
    for (int run = 0; run < (quick ? 1 : 3); run++) {
        countdown done(1);
        auto owner = make(system, [&](self_t *self) {
            return behavior{[=, &done, &cpu, &wall](int) {
                                const double cpu_begun = cpu_ns();
                                const auto begun = steady::now();
                                for (int i = 0; i < n; i++)
                                    self->delayed_send(self, milliseconds(60000 + i % 100000),
                                                       std::string());
                                wall = std::min(wall, since_ns(begun) / n);
                                cpu = std::min(cpu, (cpu_ns() - cpu_begun) / n);
                                done.hit();
                                self->quit();
                            },
                            [](const std::string &) {}};
        });
        caf::anon_send(owner, 1);
        done.wait();
    }
    tell("timer_arm", cpu, wall, "ns");
}

void timer(actor_system &system)
{
    arm(system);
    const int n = quick ? 2000 : 6000;
    countdown done(n);
    std::vector<double> late;
    std::mt19937 random(1);
    auto owner = make(system, [&](self_t *self) {
        return behavior{[&, self](int) {
                            for (int i = 0; i < n; i++) {
                                const auto delay = milliseconds(11 + random() % 500);
                                const auto due = steady::now() + delay;
                                self->delayed_send(self, delay,
                                                   int64_t(due.time_since_epoch().count()));
                            }
                        },
                        [&](int64_t due) {
                            late.push_back(steady::now().time_since_epoch().count() - due);
                            done.hit();
                        }};
    });
    caf::anon_send(owner, 1);
    done.wait();
    std::sort(late.begin(), late.end());
    value("timer_late_p50", late[n / 2] / 1e3, "us");
    value("timer_late_p99", late[n / 100 * 99] / 1e3, "us");
    kill(owner);
}

// ---- registry

void registry(actor_system &system)
{
    auto named = make(system, [](self_t *) { return behavior{[](int) {}}; });
    system.registry().put(caf::atom("bench"), actor_cast<caf::strong_actor_ptr>(named));
    row("registry_whereis", 1e6, [&] {
        for (int i = 0; i < 1000000; i++)
            system.registry().get(caf::atom("bench"));
    });
    system.registry().erase(caf::atom("bench"));
    kill(named);
}

// ---- call

behavior server(self_t *)
{
    auto total = std::make_shared<int>(0);
    return behavior{[total](int) { return ++*total; }};
}

void ask(self_t *self, const actor &to, const std::shared_ptr<int> &left, countdown &done)
{
    if (--*left < 0) {
        done.hit();
        return;
    }
    self->request(to, caf::infinite, 1).then([=, &done](int) { ask(self, to, left, done); });
}

void call(actor_system &system)
{
    const int n = 200000;
    auto to = make(system, server);
    auto clients = [&](int count) {
        countdown done(count);
        for (int i = 0; i < count; i++) {
            auto left = std::make_shared<int>(n / count);
            system.spawn([=, &done](self_t *self) { ask(self, to, left, done); });
        }
        done.wait();
    };
    row("genserver_call", n, [&] { clients(1); });
    row("genserver_call_100clients", n, [&] { clients(100); });
    kill(to);
}

// ---- savina

void counting(actor_system &system)
{
    countdown done(1);
    auto counter = make(system, [&](self_t *self) {
        auto total = std::make_shared<int>(0);
        return behavior{[=](int) { ++*total; },
                        [=, &done](const std::string &) {
                            done.hit();
                            self->quit();
                        }};
    });
    system.spawn([=](self_t *self) {
        for (int i = 0; i < 1000000; i++)
            self->send(counter, 1);
        self->send(counter, std::string("get"));
    });
    done.wait();
    system.await_all_actors_done();
}

void fork_join(actor_system &system)
{
    countdown done(40000);
    for (int i = 0; i < 40000; i++)
        caf::anon_send(make(system,
                            [&done](self_t *self) {
                                return behavior{[self, &done](int offset) {
                                    volatile double sine = std::sin(37.2 + offset);
                                    (void)sine;
                                    done.hit();
                                    self->quit();
                                }};
                            }),
                       0);
    done.wait();
    system.await_all_actors_done();
}

behavior fib(self_t *self, int n, const actor &parent, countdown *done)
{
    if (n < 3) {
        if (parent) self->send(parent, 1);
        return {};
    }
    self->spawn(fib, n - 1, me(self), done);
    self->spawn(fib, n - 2, me(self), done);
    auto heard = std::make_shared<std::pair<int, int>>(0, 0); // Sum, count.
    return {[=](int below) {
        heard->first += below;
        if (++heard->second < 2) return;
        if (parent)
            self->send(parent, heard->first);
        else
            done->hit();
        self->quit();
    }};
}

void big(actor_system &system)
{
    const int count = 120;
    countdown done(count);
    auto all = std::make_shared<std::vector<actor>>();
    for (int i = 0; i < count; i++)
        all->push_back(make(system, [=, &done](self_t *self) {
            auto left = std::make_shared<int>(2000);
            auto random = std::make_shared<unsigned>(i + 1);
            auto ping = [=] {
                *random = *random * 1103515245 + 12345;
                self->send((*all)[(*random >> 8) % count], me(self));
            };
            return behavior{[=](const actor &from) { self->send(from, 2); },
                            [=](const std::string &) { ping(); },
                            [=, &done](int) {
                                if (--*left == 0)
                                    done.hit();
                                else if (*left > 0)
                                    ping();
                            }};
        }));
    for (auto &one : *all)
        caf::anon_send(one, std::string("go"));
    done.wait();
    for (auto &one : *all)
        kill(one);
    all->clear();
    system.await_all_actors_done();
}

void chameneos(actor_system &system)
{
    countdown done(1);
    auto broker = make(system, [&](self_t *self) {
        auto waits = std::make_shared<actor>();
        auto left = std::make_shared<int>(200000);
        return behavior{[=, &done](const actor &who) {
            if (*left == 0) return;
            if (!*waits) {
                *waits = who;
                return;
            }
            self->send(*waits, 1);
            self->send(who, 1);
            *waits = actor{};
            if (--*left == 0) done.hit();
        }};
    });
    std::vector<actor> creatures;
    for (int i = 0; i < 100; i++)
        creatures.push_back(make(system, [broker](self_t *self) {
            self->send(broker, me(self));
            return behavior{[=](int) { self->send(broker, me(self)); }};
        }));
    done.wait();
    for (auto &creature : creatures)
        kill(creature);
    kill(broker);
    creatures.clear();
    broker = actor{};
    system.await_all_actors_done();
}

void philosophers(actor_system &system)
{
    const int seats = 20;
    countdown done(seats);
    auto table = make(system, [](self_t *self) {
        auto taken = std::make_shared<std::array<bool, seats>>();
        taken->fill(false);
        return behavior{[=](const actor &who, int seat) {
                            bool &left = (*taken)[seat], &right = (*taken)[(seat + 1) % seats];
                            const bool free = !left && !right;
                            if (free) left = right = true;
                            self->send(who, free ? 1 : 0);
                        },
                        [=](int seat) { (*taken)[seat] = (*taken)[(seat + 1) % seats] = false; }};
    });
    for (int seat = 0; seat < seats; seat++)
        make(system, [=, &done](self_t *self) {
            auto left = std::make_shared<int>(5000);
            self->send(table, me(self), seat);
            return behavior{[=, &done](int yes) {
                if (yes) {
                    self->send(table, seat);
                    if (--*left == 0) {
                        done.hit();
                        self->quit();
                        return;
                    }
                }
                self->send(table, me(self), seat);
            }};
        });
    done.wait();
    kill(table);
    table = actor{};
    system.await_all_actors_done();
}

void savina(actor_system &system)
{
    row("sav_counting_1M", 1e6, [&] { counting(system); });
    row("sav_fjcreate_40k", 40000, [&] { fork_join(system); });
    row("sav_fib_23", 92735, [&] {
        countdown done(1);
        system.spawn(fib, 23, actor{}, &done);
        done.wait();
        system.await_all_actors_done();
    });
    row("sav_big_120x2000", 240000, [&] { big(system); });
    row("sav_chameneos_100x200k", 200000, [&] { chameneos(system); });
    row("sav_philosophers_20x5k", 100000, [&] { philosophers(system); });
}

// ---- spread: pairs that talk to nobody else.

void spread(actor_system &system)
{
    const int n = 800000, pairs = 8;
    row("pairs_8", n, [&] {
        countdown done(pairs);
        for (int i = 0; i < pairs; i++)
            ping(system, n / pairs, done);
        done.wait();
        system.await_all_actors_done();
    });
}

// ---- idle

void idle(actor_system &)
{
    std::this_thread::sleep_for(milliseconds(100));
    const double cpu = cpu_ns();
    const auto begun = steady::now();
    std::this_thread::sleep_for(milliseconds(quick ? 200 : 2000));
    value("idle_cpu", 100 * (cpu_ns() - cpu) / since_ns(begun), "%");
}

} // namespace

int main(int argc, char **argv)
{
    const std::map<std::string, void (*)(actor_system &)> groups = {
        {"spawn", spawn},   {"mem", mem},       {"pingpong", pingpong}, {"oneway", oneway},
        {"ring", ring},     {"timer", timer},   {"registry", registry}, {"call", call},
        {"savina", savina}, {"spread", spread}, {"idle", idle}};
    if (argc < 3) {
        fprintf(stderr, "usage: bench CORES GROUP [quick]\n");
        return 64;
    }
    cores = atoi(argv[1]);
    quick = argc > 3;
    const auto group = groups.find(argv[2]);
    if (group == groups.end()) return 0;
    caf::actor_system_config config;
    config.set("scheduler.max-threads", static_cast<size_t>(cores));
    actor_system system{config};
    group->second(system);
    fflush(stdout);
    _exit(0); // Some actors are still to be told that it is over.
}
