internal import ImageInput
internal import Testing
