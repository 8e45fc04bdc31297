#include "host/unit.h"
