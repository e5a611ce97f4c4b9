/*
 * priority: threads that only use what others leave over.
 *
 * Threads: safe from any.
 */
#ifndef CA_BASE_PRIORITY_H
#define CA_BASE_PRIORITY_H

/*
 * From now on the calling thread goes last: SCHED_IDLE (which makes its reading and flushing go last too, where the disk's scheduler has
 * priorities), or at least the lowest nice value where that is forbidden. There is no way back for it.
 */
void priority_step_back(void);

#endif
