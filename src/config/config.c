/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/config/config.h"

#include "options.h"

#include <stdlib.h>

static void free_strings(struct config_strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->item[i]);
	free(strings->item);
}

void config_free(struct config *config)
{
	free_strings(&config->lan);
	free_strings(&config->wan);
	free_strings(&config->listen);
	free_strings(&config->names_ethers);
	free_strings(&config->names_leases);
	free_strings(&config->names_odhcpd);
	free_strings(&config->names_hosts);
	free_strings(&config->allow);
	free_strings(&config->server_names);
	free(config->socket);
	free(config->runtime_dir);
	free(config->state_dir);
	free(config->file);
	free(config->web_config);
	free(config->replay);
	free(config->record);
	free(config->trace);
	free(config->explain);
	free(config->output);
	free(config->rules);
	free(config->flows_host);
	free(config->flows_ipv);
	free(config->flows_proto);
	free(config->flows_port);
	for (size_t i = 0; i < config->hosts; i++) {
		free(config->host[i].name);
		free(config->host[i].mac);
		free(config->host[i].address);
	}
	free(config->host);
	for (size_t i = 0; i < config->interfaces; i++) {
		free(config->interface[i].interface);
		free(config->interface[i].name);
	}
	free(config->interface);
	*config = (struct config){ 0 };
}

void config_help(FILE *out)
{
	fputs("Usage: hostmeter [OPTION]...\n"
	      "Counts the bytes and packets of every host behind this router.\n",
		out);
	options_help(out);
	fputs("\nSee hostmeter(8) and hostmeter.conf(5).\n", out);
}

void config_version(FILE *out)
{
	fputs("hostmeter " HOSTMETER_VERSION "\n", out);
}
