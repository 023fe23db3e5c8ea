// weft.h: everything. See docs/actors.md for a tutorial.
#ifndef WEFT_H
#define WEFT_H

#include <weft/actor.h>
#include <weft/channel.h>
#include <weft/link.h>
#include <weft/message.h>
#include <weft/port.h>
#include <weft/registry.h>
#include <weft/runtime.h>
#include <weft/timer.h>
#include <weft/types.h>

#endif // WEFT_H
