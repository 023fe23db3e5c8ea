// Table: scores that every actor of every core may look at and change, without asking anybody.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <weft/weft.h>

struct player {
    char name[16];
    uint32_t level;
};

static void make_and_fill(struct weft_actor *self, weft_table *players)
{
    const struct weft_table_options options = {
        .name = "players", .kind = WEFT_TABLE_ORDERED, .access = WEFT_TABLE_PUBLIC};
    if (weft_table_new(self, &options, players) != 0) weft_exit(self, WEFT_EXIT_FAULT);

    static const struct player ada = {"Ada", 3}, bob = {"Bob", 1};
    weft_table_insert(self, *players, "de/ada", 6, &ada, sizeof(ada));
    weft_table_insert(self, *players, "de/bob", 6, &bob, sizeof(bob));
    weft_table_insert(self, *players, "fr/eve", 6, &ada, sizeof(ada));
    if (weft_table_insert_new(self, *players, "de/ada", 6, &bob, sizeof(bob)) == -EEXIST)
        weft_say(self, WEFT_LEVEL_INFO, "she is there already");
}

static void look_up(struct weft_actor *self)
{
    const weft_table players = weft_table_find(self, "players"); // Who does not know the number.
    struct player player; // A copy: nobody changes it under our hands.
    const int64_t length = weft_table_lookup(self, players, "de/ada", 6, &player, sizeof(player));
    if (length == sizeof(player))
        weft_say(self, WEFT_LEVEL_INFO, "%s has level %u", player.name, player.level);
    if (weft_table_lookup(self, players, "de/cem", 6, &player, sizeof(player)) == -ENOENT)
        weft_say(self, WEFT_LEVEL_INFO, "who is Cem?");
}

// Changes a copy, which then takes the row's place if nobody was faster; else it is called again.
static int rise(void *value, size_t length, void *argument)
{
    struct player *player = value;
    (void)argument;
    if (length != sizeof(*player)) return -EINVAL; // The row stays as it is.
    player->level++;
    return 0;
}

static enum weft_table_verdict show(struct weft_actor *self, const struct weft_table_row *row,
                                    void *argument)
{
    struct player player;
    (void)argument;
    memcpy(&player, row->value, sizeof(player));
    weft_say(self, WEFT_LEVEL_INFO, "%.*s: %u", (int)row->key_length, (const char *)row->key,
             player.level);
    return player.level < 2 ? WEFT_TABLE_DELETE : WEFT_TABLE_CONTINUE;
}

static void change_and_show(struct weft_actor *self, weft_table players)
{
    const struct weft_table_match german = {.prefix = "de/", .prefix_length = 3, .see = show};
    struct weft_table_info info;
    weft_table_update(self, players, "de/ada", 6, rise, NULL);
    const int64_t gone = weft_table_select_delete(self, players, &german); // In order.
    if (weft_table_info(self, players, &info) == 0)
        weft_say(self, WEFT_LEVEL_INFO, "%lld gone, %llu left", (long long)gone,
                 (unsigned long long)info.row_count);
}

struct visits {
    weft_table table;
    int64_t count;
};

static void visit(struct weft_actor *self, void *state)
{
    const struct visits *visits = state;
    const int64_t zero = 0;
    for (int64_t i = 0; i < visits->count; i++) // Each add is one moment: none is lost.
        weft_table_update_counter_u64(self, visits->table, 7, 1, &zero, NULL);
}
static const struct weft_actor_kind visitor_kind = {
    .name = "visitor", .state_bytes = sizeof(struct visits), .main = visit};

static void count_together(struct weft_actor *self)
{
    const struct weft_table_options options = {.access = WEFT_TABLE_PUBLIC};
    struct visits visits = {.count = 1000};
    weft_pid visitors[4];
    int64_t sum = 0;
    if (weft_table_new(self, &options, &visits.table) != 0) weft_exit(self, WEFT_EXIT_FAULT);
    const struct weft_spawn spawn = {.kind = &visitor_kind, .state = &visits};
    for (int i = 0; i < 4; i++)
        if (weft_spawn_link(self, &spawn, &visitors[i]) != 0) weft_exit(self, WEFT_EXIT_FAULT);
    for (int i = 0; i < 4; i++)
        weft_join(self, visitors[i], WEFT_FOREVER, NULL);
    weft_table_lookup_u64(self, visits.table, 7, &sum, sizeof(sum));
    weft_say(self, WEFT_LEVEL_INFO, "%lld visits", (long long)sum);
}

static void scores(struct weft_actor *self, int argc, char *const *argv)
{
    weft_table players;
    (void)argc, (void)argv;
    make_and_fill(self, &players);
    look_up(self);
    change_and_show(self, players);
    count_together(self);
} // Its tables go with it: they have no heir.
WEFT_MODULE(scores)
