/*
 * vrp_csv: the CSV half of vrp.h, one payload a line under a header line:
 *
 *     ASN,IP Prefix,Max Length,Trust Anchor                    Routinator
 *     ASN,IP Prefix,Max Length,Trust Anchor,Expires            rpki-client
 *     ASN,Prefix,Max prefix length                             FORT
 */
#ifndef CA_FEEDS_VRP_CSV_H
#define CA_FEEDS_VRP_CSV_H

#include "ca/feeds/feed.h"

#define VRP_CSV_LINE_MAX 1024

/* As vrp_json_read(). */
CHECKED enum fault_code vrp_csv_read(const char *path, feed_payload_fn give, void *argument, struct fault *fault);

#endif
