// weft.h: everything. See docs/actors.md for a tutorial.
#ifndef WEFT_H
#define WEFT_H

#include <weft/actor.h>
#include <weft/agent.h>
#include <weft/application.h>
#include <weft/channel.h>
#include <weft/link.h>
#include <weft/machine.h>
#include <weft/message.h>
#include <weft/module.h>
#include <weft/port.h>
#include <weft/registry.h>
#include <weft/runtime.h>
#include <weft/server.h>
#include <weft/stage.h>
#include <weft/supervisor.h>
#include <weft/table.h>
#include <weft/task.h>
#include <weft/timer.h>
#include <weft/types.h>

#endif // WEFT_H
