// The owner's port: which tokens are tokens, a key that stays, and who is answered over TLS.
#include "tests/support/cmocka.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/admin/client.h"
#include "runtime/admin/client_key.h"
#include "runtime/admin/owner.h"
#include "tests/unit/admin/bench_server.h"

#define TOKEN "0123456789abcdefABCDEF"

static char directory[64];

static const char *at(const char *name)
{
    static char paths[8][96];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

static void put(const char *name, const char *text)
{
    const int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/weft-owner.XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(at("token"));
    unlink(at("key"));
    return rmdir(directory);
}

static int open_owner(struct weft_owner *owner, struct weft_error *error)
{
    const struct weft_owner_files files = {.token = at("token"), .node_key = at("key")};
    return weft_owner_open(owner, &files, error);
}

static void takes_one_line_of_a_sensible_length(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {TOKEN, true},
        {TOKEN "\n", true},
        {TOKEN "\r\n", true},
        {TOKEN "\n\n", true},
        {"", false},
        {"\n" TOKEN, false},
        {"fifteen-letters\n", false},
        {"sixteen-letters!\n", true},
        {TOKEN " \n", false},
        {TOKEN "\nmore\n", false},
        {TOKEN "\t", false},
        {"\x80" TOKEN, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weft_owner owner;
        struct weft_error error = {0};
        put("token", cases[i].text);
        const int result = open_owner(&owner, &error);
        if (cases[i].good != (result == 0)) fail_msg("case %zu: %s", i, error.text);
        if (result != 0) assert_int_equal(error.code, 301);
    }
    char longest[WEFT_OWNER_TOKEN_MAX + 2];
    struct weft_owner owner;
    memset(longest, 'x', sizeof(longest) - 1);
    longest[WEFT_OWNER_TOKEN_MAX] = '\0';
    put("token", longest);
    assert_int_equal(open_owner(&owner, NULL), 0);
    longest[WEFT_OWNER_TOKEN_MAX] = 'x';
    longest[WEFT_OWNER_TOKEN_MAX + 1] = '\0';
    put("token", longest);
    assert_int_equal(open_owner(&owner, NULL), -1);
    unlink(at("token"));
    assert_int_equal(open_owner(&owner, NULL), -1);
}

static void keeps_the_key_that_it_made(void **state)
{
    (void)state;
    struct weft_owner first, second;
    struct weft_error error = {0};
    struct stat status;
    put("token", TOKEN);
    unlink(at("key"));
    assert_int_equal(open_owner(&first, NULL), 0);
    assert_int_equal(stat(at("key"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(open_owner(&second, NULL), 0);
    assert_string_equal(first.fingerprint, second.fingerprint);
    assert_int_equal(strlen(first.fingerprint), 64);
    chmod(at("key"), 0640);
    assert_int_equal(open_owner(&second, &error), -1);
    assert_non_null(strstr(error.text, "chmod 600"));
    chmod(at("key"), 0600);
    assert_int_equal(open_owner(&second, NULL), 0);
    assert_int_equal(second.renewed.code, 0);
    unlink(at("key")); // Another key, then.
    assert_int_equal(open_owner(&second, NULL), 0);
    assert_int_equal(second.renewed.code, 0);
    assert_string_not_equal(first.fingerprint, second.fingerprint);
}

static size_t get(const char *name, char *text, size_t size)
{
    const int fd = open(at(name), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    const ssize_t length = read(fd, text, size - 1);
    assert_true(length >= 0);
    close(fd);
    text[length] = '\0';
    return (size_t)length;
}

// Its owner is not shut out: another one is made, and it is said.
static void makes_anew_what_is_damaged(void **state)
{
    (void)state;
    struct weft_owner owner, again;
    struct weft_error error = {0};
    char good[4096], other[4096], aside[4096], damaged[8192];
    put("token", TOKEN);
    unlink(at("key"));
    assert_int_equal(open_owner(&owner, &error), 0);
    get("key", other, sizeof(other));
    unlink(at("key"));
    assert_int_equal(open_owner(&owner, &error), 0);
    const size_t length = get("key", good, sizeof(good));
    for (int i = 0; i < 6; i++) {
        char before[65];
        memcpy(before, owner.fingerprint, sizeof(before));
        memset(damaged, 'x', sizeof(damaged));
        memcpy(damaged, good, length + 1);
        char *certificate = strstr(damaged, "-----BEGIN CERTIFICATE");
        if (i == 0) damaged[0] = '\0';
        if (i == 1) damaged[length - 200] = '\0';
        if (i == 2) certificate[28] ^= 1;                                         // Its first byte.
        if (i == 3) damaged[40] ^= 1;                                             // In the key.
        if (i == 4) strcpy(certificate, strstr(other, "-----BEGIN CERTIFICATE")); // Of another.
        if (i == 5) damaged[length] = 'x', damaged[sizeof(damaged) - 1] = '\0';
        put("key", damaged);
        if (open_owner(&owner, &error) != 0) fail_msg("damage %d: %s", i, error.text);
        if (owner.renewed.code != 301 || strcmp(before, owner.fingerprint) == 0)
            fail_msg("damage %d is not told", i);
        assert_non_null(strstr(owner.renewed.text, "fingerprint"));
        get("key.damaged", aside, sizeof(aside));
        assert_int_equal(strncmp(aside, damaged, strlen(aside)), 0);
        assert_int_equal(open_owner(&again, &error), 0); // And this one stays.
        assert_int_equal(again.renewed.code, 0);
        assert_string_equal(again.fingerprint, owner.fingerprint);
    }
    // What cannot be put aside shuts it, and is named.
    unlink(at("key.damaged"));
    assert_int_equal(mkdir(at("key.damaged"), 0700), 0);
    put("key", "");
    assert_int_equal(open_owner(&owner, &error), -1);
    assert_non_null(strstr(error.text, "cannot be put aside"));
    rmdir(at("key.damaged"));
    unlink(at("key"));
}

static void admits_the_token_alone(void **state)
{
    (void)state;
    struct weft_owner owner = {.token = TOKEN};
    assert_true(weft_owner_admits(&owner, "Bearer " TOKEN));
    assert_true(weft_owner_admits(&owner, "bearer " TOKEN));
    assert_false(weft_owner_admits(&owner, NULL));
    assert_false(weft_owner_admits(&owner, ""));
    assert_false(weft_owner_admits(&owner, "Bearer "));
    assert_false(weft_owner_admits(&owner, TOKEN));
    assert_false(weft_owner_admits(&owner, "Basic " TOKEN));
    assert_false(weft_owner_admits(&owner, "Bearer " TOKEN "x"));
    assert_false(weft_owner_admits(&owner, "Bearer 0123456789abcdefABCDEG"));
    assert_false(weft_owner_admits(&owner, "Bearer 0123456789abcdef"));
}

// What the asking child reports: 0 to 599 the status, 600 and above an error's code.
static unsigned ask(struct bench_server *bench, const struct weft_client_target *target,
                    const char *method, const char *path)
{
    int pipe_fds[2];
    unsigned told = 0;
    assert_int_equal(pipe(pipe_fds), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct weft_client_call call = {
            .method = method, .path = path, .body = "{}", .body_length = 2};
        struct weft_client_answer answer;
        struct weft_error error = {0};
        unsigned result = 600;
        if (weft_client_ask(target, &call, &answer, &error) == 0)
            result = answer.status;
        else
            result += error.code;
        _exit(write(pipe_fds[1], &result, sizeof(result)) == sizeof(result) ? 0 : 1);
    }
    close(pipe_fds[1]);
    fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK);
    ssize_t got;
    while ((got = read(pipe_fds[0], &told, sizeof(told))) < 0)
        weft_admin_server_turn(bench->server, 10);
    assert_int_equal(got, sizeof(told));
    close(pipe_fds[0]);
    waitpid(child, NULL, 0);
    return told;
}

static void answers_the_owner_over_tls(void **state)
{
    (void)state;
    struct bench_server bench;
    struct weft_owner owner;
    struct weft_client_target target;
    struct sockaddr_in address;
    socklen_t length = sizeof(address);
    char url[64];

    put("token", TOKEN);
    assert_int_equal(open_owner(&owner, NULL), 0);
    bench_server_init(&bench, NULL, NULL);
    const int fd = weft_admin_open_at(0, 0, NULL); // At every address, which is only for an owner.
    assert_true(fd >= 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(weft_admin_serve_fd(bench.server, fd, NULL), -1);
    assert_int_equal(weft_admin_serve_owner(bench.server, fd, &owner, NULL), 0);
    snprintf(url, sizeof(url), "https://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));

    assert_int_equal(weft_client_target_owner(&target, url, TOKEN, owner.fingerprint, NULL), 0);
    assert_int_equal(ask(&bench, &target, "GET", "/readyz"), 200);
    assert_int_equal(ask(&bench, &target, "GET", "/api/v1/nothing"), 404);
    // An owner may write: this route refuses what it is sent, and not who sends it.
    assert_int_equal(ask(&bench, &target, "POST", "/api/v1/units/u/eval"), 400);

    assert_int_equal(weft_client_target_owner(&target, url, TOKEN "x", NULL, NULL), 0);
    assert_int_equal(ask(&bench, &target, "GET", "/readyz"), 401);
    assert_int_equal(ask(&bench, &target, "POST", "/api/v1/units/u/eval"), 401);
    memset(owner.fingerprint, '0', 64);
    assert_int_equal(weft_client_target_owner(&target, url, TOKEN, owner.fingerprint, NULL), 0);
    assert_int_equal(ask(&bench, &target, "GET", "/readyz"), 600 + 502);
    // In the clear there is nothing.
    target = (struct weft_client_target){.port = ntohs(address.sin_port)};
    assert_int_equal(ask(&bench, &target, "GET", "/readyz"), 600 + 501);
    bench_server_destroy(&bench);
}

// ---- An owner who is known by a key.

static void keys_are_made_once(void **state)
{
    (void)state;
    struct weft_client_key key;
    struct weft_error error = {0};
    struct stat status;
    char pem[WEFT_CLIENT_KEY_PEM_BYTES], again[WEFT_CLIENT_KEY_PEM_BYTES];
    assert_int_equal(weft_client_key_make(at("mine"), &error), 0);
    assert_int_equal(stat(at("mine"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(weft_client_key_make(at("mine"), &error), -1);
    assert_int_equal(error.code, 504);
    assert_int_equal(weft_client_key_open(&key, at("mine"), &error), 0);
    assert_int_equal(weft_client_key_public(&key, pem, &error), 0);
    assert_int_equal(strncmp(pem, "-----BEGIN PUBLIC KEY-----\n", 27), 0);
    weft_client_key_close(&key);
    assert_int_equal(weft_client_key_open(&key, at("mine"), &error), 0);
    assert_int_equal(weft_client_key_public(&key, again, &error), 0);
    assert_string_equal(pem, again);
    weft_client_key_close(&key);
    chmod(at("mine"), 0640);
    assert_int_equal(weft_client_key_open(&key, at("mine"), &error), -1);
    assert_non_null(strstr(error.text, "chmod 600"));
    put("public", pem); // The wrong half.
    assert_int_equal(weft_client_key_open(&key, at("public"), &error), -1);
    assert_non_null(strstr(error.text, "no Ed25519 private key"));
    assert_int_equal(weft_client_key_open(&key, at("nowhere"), &error), -1);
    assert_int_equal(weft_client_key_open(&key, directory, &error), -1);
    unlink(at("mine"));
    unlink(at("public"));
}

// Makes a key at `name` and puts its public half beside it.
static void make_pair_of(const char *name, const char *public_name)
{
    struct weft_client_key key;
    char pem[WEFT_CLIENT_KEY_PEM_BYTES];
    assert_int_equal(weft_client_key_make(at(name), NULL), 0);
    assert_int_equal(weft_client_key_open(&key, at(name), NULL), 0);
    assert_int_equal(weft_client_key_public(&key, pem, NULL), 0);
    weft_client_key_close(&key);
    put(public_name, pem);
}

static void a_key_is_a_public_one(void **state)
{
    (void)state;
    struct weft_owner owner;
    struct weft_error error = {0};
    make_pair_of("mine", "owner.key");
    struct weft_owner_files files = {.key = at("owner.key"), .node_key = at("key")};
    assert_int_equal(weft_owner_open(&owner, &files, &error), 0);
    assert_true(owner.has_key);
    assert_false(weft_owner_admits(&owner, "Bearer ")); // There is no token,
    assert_false(weft_owner_admits(&owner, "Bearer " TOKEN));
    assert_false(weft_owner_knows(&owner, NULL)); // and nobody has shown a key.
    files.key = at("mine");                       // The private half is none of the node's.
    assert_int_equal(weft_owner_open(&owner, &files, &error), -1);
    assert_int_equal(error.code, 301);
    files.key = at("nowhere");
    assert_int_equal(weft_owner_open(&owner, &files, &error), -1);
    put("owner.key", "");
    files.key = at("owner.key");
    assert_int_equal(weft_owner_open(&owner, &files, &error), -1);
    put("token", TOKEN "\n"); // A key that is no good opens nothing, and the token does.
    files.token = at("token");
    assert_int_equal(weft_owner_open(&owner, &files, &error), 0);
    assert_int_equal(owner.left_out.code, 301);
    assert_false(owner.has_key);
    assert_true(weft_owner_admits(&owner, "Bearer " TOKEN));
    put("token", "short\n");
    assert_int_equal(weft_owner_open(&owner, &files, &error), -1);
    unlink(at("token"));
    files.token = files.key = "";
    assert_int_equal(weft_owner_open(&owner, &files, &error), -1);
    assert_non_null(strstr(error.text, "neither a token nor a key"));
    unlink(at("mine"));
    unlink(at("owner.key"));
}

static void answers_who_has_the_key(void **state)
{
    (void)state;
    struct bench_server bench;
    struct weft_owner owner;
    struct weft_client_target target;
    struct weft_error error = {0};
    struct sockaddr_in address;
    socklen_t length = sizeof(address);
    char url[64];

    make_pair_of("mine", "owner.key");
    make_pair_of("other", "other.key");
    const struct weft_owner_files files = {.key = at("owner.key"), .node_key = at("key")};
    assert_int_equal(weft_owner_open(&owner, &files, &error), 0);
    bench_server_init(&bench, NULL, NULL);
    const int fd = weft_admin_open_at(INADDR_LOOPBACK, 0, NULL);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(weft_admin_serve_owner(bench.server, fd, &owner, &error), 0);
    snprintf(url, sizeof(url), "https://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));

    assert_int_equal(weft_client_target_keyed(&target, url, at("mine"), owner.fingerprint, &error),
                     0);
    assert_int_equal(ask(&bench, &target, "GET", "/readyz"), 200);
    assert_int_equal(ask(&bench, &target, "POST", "/api/v1/units/u/eval"), 400); // It may write.
    // Another key, none, and a token where there is none.
    assert_int_equal(weft_client_target_keyed(&target, url, at("other"), owner.fingerprint, &error),
                     0);
    assert_int_equal(ask(&bench, &target, "GET", "/readyz"), 401);
    assert_int_equal(weft_client_target_owner(&target, url, TOKEN, owner.fingerprint, &error), 0);
    assert_int_equal(ask(&bench, &target, "GET", "/readyz"), 401);
    // A file that is not there is said before anybody is asked.
    assert_int_equal(
        weft_client_target_keyed(&target, url, at("nowhere"), owner.fingerprint, &error), 0);
    assert_int_equal(ask(&bench, &target, "GET", "/readyz"), 600 + 504);
    // The other node's certificate is not ours: it learns nothing that it could use.
    assert_int_equal(weft_client_target_keyed(&target, url, at("mine"), NULL, &error), 0);
    memset(target.fingerprint, '0', 64);
    assert_int_equal(ask(&bench, &target, "GET", "/readyz"), 600 + 502);
    bench_server_destroy(&bench);
    unlink(at("mine"));
    unlink(at("other"));
    unlink(at("owner.key"));
    unlink(at("other.key"));
}

static void reads_addresses(void **state)
{
    (void)state;
    static const char pin[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    static const struct {
        const char *url, *token, *pin;
        bool good;
    } cases[] = {
        {"https://127.0.0.1", TOKEN, NULL, true},
        {"https://127.0.0.1:9338", TOKEN, NULL, true},
        {"https://localhost:1", TOKEN, NULL, true},
        {"https://192.0.2.7:9338", TOKEN, pin, true},
        {"https://node.example:65535", TOKEN, pin, true},
        {"https://192.0.2.7:9338", TOKEN, NULL, false}, // Anybody could answer there.
        {"https://192.0.2.7:9338", TOKEN, "12", false},
        {"https://127.0.0.1:9338", NULL, NULL, false},
        {"https://127.0.0.1:9338", "short", NULL, false},
        {"https://127.0.0.1:0", TOKEN, NULL, false},
        {"https://127.0.0.1:65536", TOKEN, NULL, false},
        {"https://127.0.0.1:12x", TOKEN, NULL, false},
        {"https://127.0.0.1/x", TOKEN, NULL, false},
        {"https://", TOKEN, NULL, false},
        {"https://a b", TOKEN, pin, false},
        {"http://127.0.0.1", TOKEN, NULL, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weft_client_target target;
        const bool good = weft_client_target_owner(&target, cases[i].url, cases[i].token,
                                                   cases[i].pin, NULL) == 0;
        if (good != cases[i].good) fail_msg("case %zu: %s", i, cases[i].url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_one_line_of_a_sensible_length),
        cmocka_unit_test(keeps_the_key_that_it_made),
        cmocka_unit_test(makes_anew_what_is_damaged),
        cmocka_unit_test(admits_the_token_alone),
        cmocka_unit_test(answers_the_owner_over_tls),
        cmocka_unit_test(keys_are_made_once),
        cmocka_unit_test(a_key_is_a_public_one),
        cmocka_unit_test(answers_who_has_the_key),
        cmocka_unit_test(reads_addresses),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
