// Winograd convolution, everything but the vector code (winograd_f32.h): minimal filtering F(t x t, 3 x 3) of Lavin and
// Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016.
//
// A tile is t x t output pixels, t = 2 or 4; it needs n x n input pixels, n = t + 2. With the three transforms A, B, G,
//   output = A^T [ sum over input channels of (G w G^T) * (B^T x B) ] A
// so that each of the n^2 positions of the transformed tile is a matrix product over channels of its own, with 9 t^2 / n^2
// (2.25 or 4) times fewer multiplications than the definition has.
//
// A transform evaluates polynomials at n - 1 points and at infinity. For t = 2 the points are 0, +-1. For t = 4 they are
// 0, +-11/16, +-23/16: of all pairs of sixteenths, for which every constant is exact, these amplify rounding errors least,
// 158 times against 860 times for the usual 0, +-1, +-2; root-mean-square errors are 2.4 times smaller. The amplification,
// which is in the bound of CKernels.h, is the square (for two axes) of the largest sum |A^T| |G| |B^T| 1 of an output and a
// tap. See Barabasz et al., "Error Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks",
// ACM TOMS 2020.
//
// Work proceeds in blocks of tiles. In a block, for vectors of `lanes` channels:
// - inputs are transformed to  [position][input vector][tile][lanes], so that the rows of a product lie lanes apart;
// - products are               [position][panel][tile][panel width];
// - packed weights are         float bias[width of all panels], then [position][panel][input channel][panel width].
// The last panel has only as many vectors as its channels need. Channels beyond the last are zeros.
#ifndef CK_WINOGRAD_H
#define CK_WINOGRAD_H

#include "CKernels.h"

/// The points +-p and +-q of t = 4.
#define CK_WINOGRAD_P (11.0f / 16)
#define CK_WINOGRAD_Q (23.0f / 16)

enum {
    CK_WINOGRAD_MAX_SIDE = 6,  ///< n.
    CK_WINOGRAD_MAX_TILE = 4,  ///< t.
};

/// How the product kernel of an instruction set is shaped.
typedef struct ck_winograd_shape {
    size_t lanes;
    size_t vectors;  ///< Of a panel.
    size_t rows;     ///< Tiles of one product.
} ck_winograd_shape;

/// One layer as the kernels see it.
typedef struct ck_winograd {
    size_t tile, side, positions;  ///< t, n, n^2.
    /// The tiles' inputs as windows: n x n taps, t apart.
    ck_geometry windows;
    size_t in_vectors;    ///< Vectors of input channels.
    size_t out_width;     ///< Output channels rounded up to whole vectors.
    size_t block;         ///< Most tiles at once.
    size_t input_pitch;   ///< Floats from one position's transformed inputs to the next's.
    size_t product_pitch; ///< Floats from one position's products to the next's.
} ck_winograd;

ck_winograd ck_winograd_of(const ck_conv_f32 *, size_t tile, ck_winograd_shape);

size_t ck_winograd_tile(const ck_conv_f32 *, ck_winograd_shape);
size_t ck_winograd_panel_count(const ck_weight_shape *, ck_winograd_shape);
size_t ck_winograd_packed_size(const ck_weight_shape *, size_t tile, ck_winograd_shape);
void ck_winograd_pack(const ck_weights_f32 *, size_t tile, ck_winograd_shape, void *packed);
size_t ck_winograd_scratch_size(const ck_conv_f32 *, size_t tile, ck_winograd_shape);

#endif
