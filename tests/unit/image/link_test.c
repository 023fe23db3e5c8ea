// The kernel's interfaces, in a network of the test's own: up, with what it takes to be found, and
// without. Where none can be had, it says so.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "image/init/link.h"
#include "image/init/text_file.h"

static short flags_of(const char *name)
{
    struct ifreq request = {0};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &request), 0);
    close(fd);
    return request.ifr_flags;
}

// That of a card which DPDK opens beside the kernel, and which goes back to it in maintenance.
static void an_interface_is_silent_until_it_is_wanted(void **state)
{
    static const char ipv6_off[] = "/proc/sys/net/ipv6/conf/weft7/disable_ipv6";
    static const uint8_t mac[6] = {0x52, 0x54, 0, 0, 0, 7};
    char text[8] = "1";
    (void)state;
    assert_int_equal(weft_link_up_silent("weft7"), -ENODEV);
    const int made = weft_link_make_tap("weft7", mac);
    if (made == -ENOENT || made == -EPERM || made == -ENODEV) skip(); // No tun driver here.
    assert_int_equal(made, 0);
    assert_int_equal(flags_of("weft7") & IFF_UP, 0);

    assert_int_equal(weft_link_up_silent("weft7"), 0);
    assert_int_equal(flags_of("weft7") & (IFF_UP | IFF_NOARP), IFF_UP | IFF_NOARP);
    if (access(ipv6_off, F_OK) == 0) weft_text_file_line(ipv6_off, text, sizeof(text));
    assert_string_equal(text, "1");

    assert_int_equal(weft_link_up("weft7"), 0);
    assert_int_equal(flags_of("weft7") & (IFF_UP | IFF_NOARP), IFF_UP);
    assert_int_equal(weft_link_remove_tap("weft7"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interface_is_silent_until_it_is_wanted),
    };
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        printf("no network of its own can be had here: %s\n", strerror(errno));
        return 77; // Meson's word for a test that was skipped.
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
