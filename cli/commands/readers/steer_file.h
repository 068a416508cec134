/* cli/commands/readers/steer_file.h - a network whose weights do not write along a direction, as a
 * model directory. */
#ifndef OGPT_CLI_COMMANDS_READERS_STEER_FILE_H
#define OGPT_CLI_COMMANDS_READERS_STEER_FILE_H

#include "cli/commands/readers/steer_session.h"

/* Before the study: made_model_check of --out, by network, target and square. */
int steering_file_check(const SteerSession *session);
/* Write the network of the session, orthogonal to the direction that was ablated
 * (made_model_publish). out_hash is filled. */
int steering_file_write(SteerSession *session);

#endif
