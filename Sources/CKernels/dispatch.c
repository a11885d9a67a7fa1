#include "CKernels.h"
#include "reference/reference.h"

const ck_table *ck_table_for(ck_isa isa) {
    return isa == CK_ISA_SCALAR ? &ck_table_scalar : NULL;
}

const ck_table *ck_best_table(void) {
    return &ck_table_scalar;
}
