#ifndef CLEAVE_CTURBOJPEG_SHIM_H
#define CLEAVE_CTURBOJPEG_SHIM_H

#include <turbojpeg.h>

#endif
