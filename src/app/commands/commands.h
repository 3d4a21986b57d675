/* Inside app/: the commands that the cmd_*.c files define; commands.c lists them in the order of help. */
#ifndef APP_COMMANDS_COMMANDS_H
#define APP_COMMANDS_COMMANDS_H

#include "app/cli/cli.h"

extern const struct cli_command command_init, command_node, command_witness, command_dev, command_deploy;
extern const struct cli_command command_consortium_init, command_consortium_member_new, command_consortium_follower,
    command_consortium_member_list, command_consortium_member_propose, command_consortium_member_vote,
    command_consortium_seal_offer, command_consortium_seal_deal, command_consortium_seal_gather,
    command_consortium_seal_show;
extern const struct cli_command command_import, command_export, command_db_verify, command_db_repair, command_db_backup,
    command_db_restore, command_signer;
extern const struct cli_command command_statetest, command_blocktest, command_txtest;
extern const struct cli_command command_wallet_new, command_wallet_show, command_wallet_phrase, command_trust,
    command_anchor;
extern const struct cli_command command_home_backup, command_home_restore, command_home_unlock, command_home_lock;
extern const struct cli_command command_actor_request, command_actor_endorse, command_actor_list, command_actor_show,
    command_actor_publish_key, command_actor_ask_key, command_actor_standing;
extern const struct cli_command command_registrars_show, command_registrars_change, command_registrars_sign,
    command_registrars_send;
extern const struct cli_command command_folder_open, command_folder_show, command_folder_list, command_folder_recover,
    command_folder_rotate, command_folder_take_over, command_folder_hand_over, command_folder_forget,
    command_folder_erase, command_relay;
extern const struct cli_command command_record_add, command_record_list, command_record_read, command_record_erase,
    command_record_status, command_record_inspect;
extern const struct cli_command command_proof, command_verify;
extern const struct cli_command command_share, command_revoke;
extern const struct cli_command command_access_ask, command_access_log, command_access_reads;
extern const struct cli_command command_break_glass, command_review_list, command_review_close, command_trustee_serve;
extern const struct cli_command command_rpc_methods;
extern const struct cli_command command_routes;
extern const struct cli_command command_gateway, command_gateway_token_new, command_gateway_trail;
extern const struct cli_command command_config_check, command_config_sample, command_config_table;
extern const struct cli_command command_product_new, command_product_answer, command_product_register,
    command_product_keep, command_product_admit, command_product_receiver, command_product_withdraw;
extern const struct cli_command command_tag_deal, command_tag_gather, command_tag_holders;
extern const struct cli_command command_pack_commission, command_pack_aggregate, command_pack_ship,
    command_pack_receive, command_pack_dispense, command_pack_capture;
extern const struct cli_command command_pack_read, command_pack_reference, command_pack_verify, command_pack_trace,
    command_pack_holders, command_pack_recall, command_pack_acknowledge, command_pack_alerts, command_pack_inspect,
    command_pack_check, command_pack_move;

#endif
