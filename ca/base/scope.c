#include "ca/base/scope.h"

#include <errno.h>
#include <unistd.h>

void
descriptor_close(int *fd)
{
	int error = errno;
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = error;
}
