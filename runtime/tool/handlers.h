// handlers.h: the handlers of the command table, by the file that holds them.
#ifndef WEFT_TOOL_HANDLERS_H
#define WEFT_TOOL_HANDLERS_H

#include "runtime/tool/command.h"

// look.c
int weft_run_swarm_status(struct weft_tool_call *call);
int weft_run_node_ls(struct weft_tool_call *call);
int weft_run_node_show(struct weft_tool_call *call);
int weft_run_core_ls(struct weft_tool_call *call);
int weft_run_core_show(struct weft_tool_call *call);
int weft_run_port_show(struct weft_tool_call *call);
int weft_run_drops(struct weft_tool_call *call);
int weft_run_mesh_ls(struct weft_tool_call *call);
int weft_run_api(struct weft_tool_call *call);
// feed.c
int weft_run_events(struct weft_tool_call *call);
int weft_run_logs(struct weft_tool_call *call);
int weft_run_pcap(struct weft_tool_call *call);
// unit.c
int weft_run_unit_load(struct weft_tool_call *call);
int weft_run_unit_ls(struct weft_tool_call *call);
int weft_run_unit_show(struct weft_tool_call *call);
int weft_run_unit_input(struct weft_tool_call *call);
int weft_run_unit_eval(struct weft_tool_call *call);
int weft_run_unit_kill(struct weft_tool_call *call);
int weft_run_unit_unload(struct weft_tool_call *call);
// saved.c
int weft_run_unit_save(struct weft_tool_call *call);
int weft_run_unit_restore(struct weft_tool_call *call);
int weft_run_node_snapshot(struct weft_tool_call *call);
// actor.c, actor_tree.c
int weft_run_actor_ls(struct weft_tool_call *call);
int weft_run_actor_show(struct weft_tool_call *call);
int weft_run_actor_tree(struct weft_tool_call *call);
int weft_run_actor_kill(struct weft_tool_call *call);
int weft_run_actor_send(struct weft_tool_call *call);
int weft_run_actor_load(struct weft_tool_call *call);
int weft_run_actor_run(struct weft_tool_call *call);
// trace.c
int weft_run_actor_trace(struct weft_tool_call *call);
int weft_run_core_trace(struct weft_tool_call *call);
// repl.c
int weft_run_repl(struct weft_tool_call *call);
// files.c
int weft_run_config_check(struct weft_tool_call *call);
int weft_run_config_explain(struct weft_tool_call *call);
int weft_run_config_defaults(struct weft_tool_call *call);
int weft_run_config_schema(struct weft_tool_call *call);
int weft_run_mesh_keygen(struct weft_tool_call *call);
// forth.c
int weft_run_forth(struct weft_tool_call *call);
// effect.c
int weft_run_forth_infer(struct weft_tool_call *call);
int weft_run_forth_verify(struct weft_tool_call *call);
// image.c
int weft_run_image_bundle(struct weft_tool_call *call);
int weft_run_image_sign(struct weft_tool_call *call);
int weft_run_image_verify(struct weft_tool_call *call);
// config_apply.c
int weft_run_plan(struct weft_tool_call *call);
int weft_run_apply(struct weft_tool_call *call);
int weft_run_confirm(struct weft_tool_call *call);
// config_init.c
int weft_run_config_init(struct weft_tool_call *call);
// context.c
int weft_run_context_add(struct weft_tool_call *call);
int weft_run_context_keygen(struct weft_tool_call *call);
int weft_run_context_ls(struct weft_tool_call *call);
int weft_run_context_rm(struct weft_tool_call *call);
// flash.c
int weft_run_image_flash(struct weft_tool_call *call);
// node_life.c
int weft_run_node_upgrade(struct weft_tool_call *call);
int weft_run_node_rollback(struct weft_tool_call *call);
int weft_run_node_slots(struct weft_tool_call *call);
int weft_run_node_reboot(struct weft_tool_call *call);
int weft_run_node_poweroff(struct weft_tool_call *call);
int weft_run_node_reset(struct weft_tool_call *call);
int weft_run_node_install(struct weft_tool_call *call);
int weft_run_node_boot(struct weft_tool_call *call);
int weft_run_node_logs(struct weft_tool_call *call);
int weft_run_node_panic(struct weft_tool_call *call);
int weft_run_node_crash(struct weft_tool_call *call);
// update.c
int weft_run_update(struct weft_tool_call *call);
// meta.c
int weft_run_version(struct weft_tool_call *call);
int weft_run_help(struct weft_tool_call *call);
int weft_run_completion(struct weft_tool_call *call);
int weft_run_complete(struct weft_tool_call *call);
int weft_run_docs(struct weft_tool_call *call);

#endif // WEFT_TOOL_HANDLERS_H
