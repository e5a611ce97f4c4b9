/*
 * holding_store: rows of the table holdings: which member holds what. Ranges of different members never overlap; commands see to
 * that.
 */
#ifndef DB_STORES_HOLDING_STORE_H
#define DB_STORES_HOLDING_STORE_H

#include "db/stmt.h"

/* The size of a handle's copy; handles are shorter. */
#define HOLDING_HANDLE_SIZE 104

/* min and max have 4 octets (AS numbers and IPv4) or 16. */
struct holding_range {
	int64_t family;                                  /* 0: AS numbers, 4, 6 */
	struct span min, max;
};

/* Faults: CONFLICT when a range starts there already. */
CHECKED enum fault_code holding_store_insert(struct db_connection *connection, int64_t ca_id, const struct holding_range *range,
	struct fault *fault);
CHECKED enum fault_code holding_store_delete_all(struct db_connection *connection, int64_t ca_id, struct fault *fault);

/* The first range of another CA than ca_id that overlaps: whose it is and, in min and max (room for 16 octets), what it is. */
CHECKED enum fault_code holding_store_overlap(struct db_connection *connection, int64_t ca_id, const struct holding_range *range,
	bool *ret_found, char ret_handle[HOLDING_HANDLE_SIZE], uint8_t ret_min[16], uint8_t ret_max[16], struct fault *fault);
/* Who holds all of the range. *ret_ca_id 0: nobody. */
CHECKED enum fault_code holding_store_holder(struct db_connection *connection, const struct holding_range *range,
	int64_t *ret_ca_id, struct fault *fault);

#endif
