#!/bin/sh
# What hangs is ended, from within as far as that goes: a core that never comes back by process 1, and process 1 itself
# by the hardware's watchdog. Nobody watches a kernel that hangs before process 1 has opened the watchdog, unless the
# firmware has started one.
. "$(dirname "$0")/lib.sh"

machine n1
window "$at"
alone "$at"
expect "$at" "$vm_ready"
expect "$at" 'weft-init: status.txt says ready'

vm_mark "$at"
open_window 1 spin spin || fail 'the module was not taken'
expect "$at" 'weft-init: error: weftd does not turn: it is started again'
expect "$at" 'weft-init: ready'
refuse "$at" 'weft-init: Weft '
ok 'a core that never comes back: weftd is started again, and the machine is not'

vm_mark "$at"
open_window 1 freeze freeze || fail 'the module was not taken'
expect "$at" 'weft-init: Weft .*, slot a'
refuse "$at" 'Kernel panic\|weft-init: .*restarts'
vm_mark "$at"
expect "$at" "$vm_ready"
ok 'process 1 hangs: the watchdog restarts the machine'
