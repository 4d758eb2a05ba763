namespace LfrEngine.Quality;

/// <summary>How fit one view of a face is for comparison; components named after ISO/IEC 29794-5.</summary>
/// <param name="InterEyePixels">Pixels between the eye centres, in the frame.</param>
/// <param name="Sharpness">Laplacian energy over contrast on the aligned face, 0 (flat) upwards; about 0.1 is blurred, 0.3 and more is sharp.</param>
/// <param name="Brightness">Mean of the face, 0…255.</param>
/// <param name="Clipped">Share of the face that is nearly black or white, 0…1.</param>
/// <param name="YawDegrees">Turn to the side, estimated from the nose against the eyes; positive towards larger x.</param>
/// <param name="PitchDegrees">Nod, estimated likewise; positive is down.</param>
/// <param name="RollDegrees">Tilt in the image plane; alignment removes it.</param>
/// <param name="Cover">How unlike the mouth and chin are to the cheeks in colour, 0…1; a mask or scarf gives high values. Used to rank shots and to warn; it never rejects a face.</param>
/// <param name="Plausibility">Log-odds that this is a face at all, from detector and landmarks together (<see cref="QualityAssessor.Plausibility"/>).</param>
/// <param name="Score">Overall quality, 0…1; ranks the shots of a tracklet.</param>
public readonly record struct FaceQuality(
    float InterEyePixels, float Sharpness, float Brightness, float Clipped,
    float YawDegrees, float PitchDegrees, float RollDegrees, float Cover, float Plausibility, float Score);
