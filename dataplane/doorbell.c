#include "dataplane/doorbell.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define READS_MAX 64

// Frames to us, to all and to groups ring; what we send (PACKET_OUTGOING) and other hosts' do not.
static int attach_filter(int fd)
{
    static struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, (__u32)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, PACKET_MULTICAST, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int weft_doorbell_open(const char *interface)
{
    const unsigned index = if_nametoindex(interface);
    if (index == 0) return -ENODEV;
    // Protocol 0 receives nothing, so no frame slips in before the filter stands.
    const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;

    const int smallest = 1; // The kernel raises it to its own minimum.
    const int on = 1;
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)index};
    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)); // Absent before 4.20.
    if (attach_filter(fd) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &smallest, sizeof(smallest)) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        const int reason = errno;
        close(fd);
        return -reason;
    }
    return fd;
}

void weft_doorbell_clear(int fd)
{
    char byte;
    for (int i = 0; i < READS_MAX; i++) {
        // An error such as ENETDOWN is taken by the read and is no reason to stop.
        if (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_TRUNC) < 0 &&
            (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
    }
}
