// Changes of layout: transposes in blocks of 128-bit registers, which every instruction set here has.
#ifndef CK_LAYOUT_H
#define CK_LAYOUT_H

#include "CKernels.h"

void ck_u8_nhwc_to_nchw__8x8(const ck_layout_u8 *, ck_range pixels);
void ck_u8_nchw_to_nhwc__8x8(const ck_layout_u8 *, ck_range pixels);
void ck_f32_nhwc_to_nchw__4x4(const ck_layout_f32 *, ck_range pixels);
void ck_f32_nchw_to_nhwc__4x4(const ck_layout_f32 *, ck_range pixels);

#endif
