using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace LfrEngine.Links.Monitoring;

/// <summary>What the description of the REST interface says beyond the endpoints: how to sign in, and what refusals look like.</summary>
internal static class ApiDescription
{
    private const string Session = "session", Token = "token";

    public static void Complete(OpenApiOptions options)
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                [Session] = new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Cookie, Name = "__Host-lfr",
                    Description = "An officer's session. Changes also need the token that GET /account/antiforgery gives, in the header that it names.",
                },
                [Token] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "A token for programs, made under \"Your account\" or by POST /api/v1/tokens." },
            };
            document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Token, document)] = [] }, new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Session, document)] = [] }];
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, _, _) =>
        {
            operation.Responses ??= [];
            operation.Responses["default"] = new OpenApiResponse
            {
                Description = "A refusal, with what is wrong in \"detail\" (RFC 9457).",
                Content = new Dictionary<string, OpenApiMediaType> { ["application/problem+json"] = new() },
            };
            return Task.CompletedTask;
        });
    }
}
